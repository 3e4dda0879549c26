// The bench's one program beside Node: serves disks at full speed, makes them, and compares copies with them.
// Rule: what it serves is what lies in its folder (on tmpfs, so that no disk is measured but the target's); it knows
// nothing of Homeward. Never a part of the product: nothing outside bench/ starts it.
//
//	serve -dir D -cert C -key K    HTTPS on two free ports, the second as slow as a link; a JSON line says which
//	fill -file F -size N -seed S   makes F sparse with random bytes in the ranges read from standard input
//	compare -source A -copy B      ends with 1 and the first difference when a byte differs; holes are zeros
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{"serve": serve, "fill": fill, "compare": compare}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "use: serve, fill or compare")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
