//go:build linux || darwin

package file

import "syscall"

// freeRoom is how much of the disk of a folder can still be written.
func freeRoom(folder string) (bytes uint64, known bool) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return 0, false
	}
	return disk.Bavail * uint64(disk.Bsize), true
}
