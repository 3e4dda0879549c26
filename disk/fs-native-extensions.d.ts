/** What we use of a package that declares no types. */
declare module 'fs-native-extensions' {
  const extensions: {
    /** Linux: fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length), on one of the file threads. */
    trim(fd: number, offset: number, length: number): Promise<void>;
  };
  export default extensions;
}
