// Flags of open(2) by number, for launch plans and for the daemon's own calls: asm-generic/fcntl.h.
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_NONBLOCK = 0o4000;
// Other numbers on arm64: its asm/fcntl.h swaps them with O_DIRECT and O_LARGEFILE.
const ARM64 = process.arch === 'arm64';
export const O_DIRECTORY = ARM64 ? 0o40000 : 0o200000;
export const O_NOFOLLOW = ARM64 ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
/** Stands for the working directory where a call takes a directory's descriptor. */
export const AT_FDCWD = -100;
