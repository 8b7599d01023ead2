#!/bin/sh
# A wire-level stand-in for NVIDIA's nvidia-smi, for tests on machines without its cards: it prints what that program prints, in its formats, for
# two A100 and one T4. No driver and no card is behind it. A file `busy` beside it names UUIDs that a process computes on; with a file
# `broken` there it fails as a program whose driver is gone.
here=$(dirname -- "$0")
if [ -e "$here/broken" ]; then
  echo 'NVIDIA-SMI has failed because it couldn'"'"'t communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.'
  exit 9
fi
case "$*" in
  '--query-gpu=index,uuid,name,memory.total --format=csv,noheader,nounits')
    cat <<'CSV'
0, GPU-11111111-aaaa-bbbb-cccc-000000000000, NVIDIA A100-SXM4-80GB, 81920
1, GPU-11111111-aaaa-bbbb-cccc-000000000001, NVIDIA A100-SXM4-80GB, 81920
2, GPU-11111111-aaaa-bbbb-cccc-000000000002, Tesla T4, 15360
CSV
    ;;
  '-q -x')
    cat <<'XML'
<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
	<driver_version>550.54.15</driver_version>
	<attached_gpus>3</attached_gpus>
	<gpu id="00000000:07:00.0">
		<product_name>NVIDIA A100-SXM4-80GB</product_name>
		<uuid>GPU-11111111-aaaa-bbbb-cccc-000000000000</uuid>
		<minor_number>2</minor_number>
	</gpu>
	<gpu id="00000000:0B:00.0">
		<product_name>NVIDIA A100-SXM4-80GB</product_name>
		<uuid>GPU-11111111-aaaa-bbbb-cccc-000000000001</uuid>
		<minor_number>0</minor_number>
	</gpu>
	<gpu id="00000000:48:00.0">
		<product_name>Tesla T4</product_name>
		<uuid>GPU-11111111-aaaa-bbbb-cccc-000000000002</uuid>
		<minor_number>1</minor_number>
	</gpu>
</nvidia_smi_log>
XML
    ;;
  '--query-compute-apps=gpu_uuid,pid --format=csv,noheader')
    if [ -e "$here/busy" ]; then while read -r uuid; do echo "$uuid, 4242"; done <"$here/busy"; fi
    ;;
  '--query-gpu=index,utilization.gpu,memory.used --format=csv,noheader,nounits')
    printf '0, 0, 4\n1, 87, 40536\n2, [N/A], [N/A]\n'
    ;;
  *)
    echo "Option \"$*\" is not recognized. Please run 'nvidia-smi -h'."
    exit 2
    ;;
esac
