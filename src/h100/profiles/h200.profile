# NVIDIA H200 SXM5, 141 GB of HBM3e: the module of HGX H200.

name = "NVIDIA H200"
short_name = "GH100"
vbios_version = "96.00.99.00.01"
board_part = "692-2G520-0280-000"
gpu_part = "2335-886-A1"
inforom_image = "G520.0280.00.01"
inforom_oem = 2.1
inforom_ecc = 7.16
inforom_power = 0.0
serial = 1654123010001

vendor_id = 0x10de
device_id = 0x2335
subsystem_vendor_id = 0x10de
subsystem_id = 0x18be
revision = 0xa1
pcie_generation = 5
pcie_lanes = 16
bar0 = 16 MiB
bar1 = 256 GiB
bar2 = 32 MiB

gpc_count = 8
tpc_count = 66
sm_count = 132
fbp_count = 12
memory_type = "HBM3e"
memory_bus_bits = 6144
l2 = 50 MiB
copy_engines = 10
decoders = 7
encoders = 0
jpegs = 7
ofas = 1
nvlink_count = 18
nvlink_rate = 26562 MB/s
nvlink_connected = yes		# to the board's switches
module = yes

memory = 143771 MiB
memory_reserved = 609 MiB
memory_banks = 3072
ecc = yes

graphics_clocks = 345 MHz .. 1980 MHz step 15 MHz
graphics_idle = 345 MHz
graphics_application = 1980 MHz
memory_clocks = 3201 MHz, 1593 MHz
video_clocks = 765 MHz .. 1545 MHz step 15 MHz
video_idle = 765 MHz

power_idle = 76 W
power_min_limit = 200 W
power_default_limit = 700 W
power_max_limit = 700 W

temperature_ambient = 26 C
temperature_full_load = 68 C
temperature_max_operating = 87 C
temperature_slowdown = 89 C
temperature_shutdown = 95 C
memory_temperature_max = 95 C
thermal_time_constant = 12 s

mig = 1g.18gb    id 19 memory_share 3 compute_share 5 media 0 instances 7 mib 16384 gpcs 1 sms  16 copy 1 dec 1 enc 0 jpeg 1 ofa 0
mig = 1g.18gb+me id 20 memory_share 3 compute_share 5 media 1 instances 1 mib 16384 gpcs 1 sms  16 copy 1 dec 1 enc 0 jpeg 1 ofa 1
mig = 1g.35gb    id 15 memory_share 2 compute_share 4 media 0 instances 4 mib 33280 gpcs 1 sms  26 copy 1 dec 1 enc 0 jpeg 1 ofa 0
mig = 2g.35gb    id 14 memory_share 2 compute_share 3 media 0 instances 3 mib 33280 gpcs 2 sms  32 copy 2 dec 2 enc 0 jpeg 2 ofa 0
mig = 3g.71gb    id  9 memory_share 1 compute_share 2 media 0 instances 2 mib 71296 gpcs 3 sms  60 copy 3 dec 3 enc 0 jpeg 3 ofa 0
mig = 4g.71gb    id  5 memory_share 1 compute_share 1 media 0 instances 1 mib 71296 gpcs 4 sms  64 copy 4 dec 4 enc 0 jpeg 4 ofa 0
mig = 7g.141gb   id  0 memory_share 0 compute_share 0 media 0 instances 1 mib 143104 gpcs 8 sms 132 copy 8 dec 7 enc 0 jpeg 7 ofa 1
