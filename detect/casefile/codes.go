package casefile

import "twinrow/detect/key"

// Codes of problems, given on for the packages that see the case and not the
// key; what each means stands in package key.
const (
	CodeUsage       = key.CodeUsage
	CodeBadInput    = key.CodeBadInput
	CodeNotFound    = key.CodeNotFound
	CodeConnection  = key.CodeConnection
	CodePermission  = key.CodePermission
	CodeDisk        = key.CodeDisk
	CodeExists      = key.CodeExists
	CodeTampered    = key.CodeTampered
	CodeNewer       = key.CodeNewer
	CodeDrift       = key.CodeDrift
	CodeBusy        = key.CodeBusy
	CodeUnsupported = key.CodeUnsupported
	CodeRefused     = key.CodeRefused
	CodeStopped     = key.CodeStopped
)
