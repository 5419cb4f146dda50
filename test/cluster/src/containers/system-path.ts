/** Folders of programs that an ordinary user's PATH may lack: ip, pivot_root. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
