package gate

import (
	"net"
	"syscall"
)

// acknowledge has the kernel acknowledge what arrives without delay. It
// forgets that after a while, so it is told before each read (tcp(7), TCP_QUICKACK).
func acknowledge(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// Without it the measurement is only coarser.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
