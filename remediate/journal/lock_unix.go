//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockDir takes the lock of the directory itself, so that no lock file is left
// behind and the lock ends with the process.
func lockDir(dir string) (io.Closer, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the case: %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrBusy
		}
		return nil, errors.Join(err, d.Close())
	}
	return dirLock{d}, nil
}

// dirLock is a locked directory.
type dirLock struct{ dir *os.File }

// Close unlocks before it closes: a child process that was just forked may
// still hold the directory open, and would keep the lock.
func (l dirLock) Close() error {
	return errors.Join(syscall.Flock(int(l.dir.Fd()), syscall.LOCK_UN), l.dir.Close())
}
