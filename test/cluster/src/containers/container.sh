# Becomes the first process of a container, inside fresh mount, pid and uts namespaces. Its environment says how; its
# arguments are the command. Tells on file descriptor 3 when all is in place.
set -e
# What goes wrong until then is for us, not for the container's log.
exec 4>&2 2>&3
# The kernel lets nobody but the machine's root write it to /proc.
hostname "$POCKET_HOSTNAME" 2>/dev/null || echo "$POCKET_HOSTNAME" >/proc/sys/kernel/hostname
mount --all --fstab "$POCKET_FSTAB"
cd "$POCKET_ROOT"
# The old root is under the new one, then gone: a chroot would not allow the user namespace below.
pivot_root . .
umount -l .
mkdir -p "$POCKET_DIR" 2>/dev/null || true
cd "$POCKET_DIR"
echo ready >&3
exec 2>&4 3>&- 4>&-
[ "$POCKET_USER" = 0 ] || set -- unshare --user --map-user="$POCKET_USER" --map-group="$POCKET_GROUP" -- "$@"
exec "$@"
