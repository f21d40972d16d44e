//go:build !linux

package gate

import "net"

// acknowledge does nothing where the kernel has no such option.
func acknowledge(net.Conn) {}
