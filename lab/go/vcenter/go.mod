// The lab's vCenter simulator: our own program over govmomi's simulator package.
// One rule: it is a module of its own, so that building it does not pull in what the Temporal server needs.
// Never required by any other module.
module homeward.example/lab/vcenter

go 1.26.4

require (
	github.com/vmware/govmomi v0.56.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
