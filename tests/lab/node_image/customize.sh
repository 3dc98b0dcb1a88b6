#!/bin/sh
# Turns the freshly installed tree $1 into a lab node. Run by mmdebstrap on the host, after the packages.
# RECIPE is the folder of this script, REPOSITORY names the packages to offer offline.
set -eu
root=$1

# Who checked the repository out, and with which umask, is not for the image.
tar -C "$RECIPE/files" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$root" --no-overwrite-dir -x
chmod 0440 "$root/etc/sudoers.d/heretic"

# The repository inside the image: fetch the packages with whatever the node has not got yet.
repository=$root/var/lib/heretic-lab/repository
mkdir -p "$repository"
for package in $REPOSITORY; do
    if chroot "$root" dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
        echo "$package must be installable but is installed already: a package in packages.txt pulls it in" >&2
        exit 1
    fi
done
rm -f "$root"/var/cache/apt/archives/*.deb
# shellcheck disable=SC2086  # a list of packages
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --download-only --no-install-recommends install $REPOSITORY
mv "$root"/var/cache/apt/archives/*.deb "$repository"/
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/0000*

# Drivers of hardware that no lab node has: half of the image's size.
for modules in "$root"/lib/modules/*; do
    for drivers in sound drivers/gpu drivers/media drivers/infiniband drivers/net/wireless drivers/net/ethernet \
        drivers/bluetooth drivers/iio drivers/staging drivers/isdn drivers/hid drivers/input/touchscreen \
        drivers/comedi drivers/usb drivers/video drivers/platform drivers/hwmon drivers/block/floppy.ko \
        net/bluetooth net/mac80211 net/wireless; do
        rm -rf "$modules/kernel/$drivers"
    done
    chroot "$root" depmod "${modules##*/}"
done

# Nodes start with the initrd that the lab holds, so rebuilding theirs at each installed package (90 s) is for nothing.
echo 'update_initramfs=no' >"$root/etc/initramfs-tools/update-initramfs.conf"

chroot "$root" useradd --create-home --shell /bin/bash heretic
chroot "$root" passwd --lock root >/dev/null
echo 'PARTLABEL=heretic-root / ext4 rw,noatime 0 1' >"$root/etc/fstab"
echo 'LANG=C.UTF-8' >"$root/etc/default/locale"

# Identity comes at the first boot, from the lab. A machine-id that is there already keeps systemd from its long
# first-boot work; the kernel command line then gives each node its own.
rm -f "$root"/etc/ssh/ssh_host_*
echo 00000000000000000000000000000001 >"$root/etc/machine-id"
rm -f "$root"/var/lib/dbus/machine-id "$root"/etc/hostname
rm -f "$root/etc/resolv.conf"

# The lab configures the links with systemd-networkd; who has both, has a race for each port.
chroot "$root" systemctl disable NetworkManager.service 2>/dev/null || true

# The operator starts and enables Gluster; a fresh host has it switched off.
chroot "$root" systemctl disable glusterd.service glustereventsd.service 2>/dev/null || true
# At each of its starts Gluster's daemon asks the program for geo-replication several things, in Python: 37 s of an
# emulated machine. It goes on where there is none.
rm -f "$root"/usr/lib/*/glusterfs/gsyncd
if [ -e "$root/var/lib/glusterd/glusterd.info" ]; then
    echo "glusterd has run in the image: all nodes would share its UUID" >&2
    exit 1
fi

chroot "$root" systemctl enable systemd-networkd.service heretic-lab-identity.service
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer man-db.timer logrotate.timer systemd-networkd-wait-online.service systemd-timesyncd.service \
    getty@tty1.service serial-getty@ttyS0.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
    systemd-pcrphase-initrd.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
    systemd-update-done.service ldconfig.service systemd-binfmt.service console-setup.service \
    keyboard-setup.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
