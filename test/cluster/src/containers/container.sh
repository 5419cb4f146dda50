# Becomes the first process of a container, inside new mount, pid and uts namespaces. Its environment has the settings,
# its arguments are the command. Writes "ready" to file descriptor 3 before it runs the command.
set -e
# Until then errors go to the pocket cluster, not to the container's log.
exec 4>&2 2>&3
# Only the machine's root may write this to /proc.
hostname "$POCKET_HOSTNAME" 2>/dev/null || echo "$POCKET_HOSTNAME" >/proc/sys/kernel/hostname
mount --all --fstab "$POCKET_FSTAB"
cd "$POCKET_ROOT"
# pivot_root, as the kernel refuses to make a user namespace after a chroot.
pivot_root . .
umount -l .
mkdir -p "$POCKET_DIR" 2>/dev/null || true
cd "$POCKET_DIR"
echo ready >&3
exec 2>&4 3>&- 4>&-
[ "$POCKET_USER" = 0 ] || set -- unshare --user --map-user="$POCKET_USER" --map-group="$POCKET_GROUP" -- "$@"
exec "$@"
