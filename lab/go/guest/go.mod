// The program the lab's bootable Linux starts as its first process.
// One rule: the standard library alone, so that it is one static file and nothing has to be fetched to build it.
// Never required by any other module.
module homeward.example/lab/guest

go 1.21
