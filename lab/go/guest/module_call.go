//go:build amd64

// The one system call the standard library has no name for.
// One rule: the number is the one of the kernel's table for this processor.
// Never built for another processor.
package main

const sysFinitModule = 313
