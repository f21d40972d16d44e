//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package casefile

import (
	"io"
	"os"
	"path/filepath"
)

// makePartial makes the hidden directory in which a case grows, one for each
// run, for systems without flock.
func makePartial(dir string) (string, io.Closer, error) {
	path, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), "."+filepath.Base(dir)+".partial-")
	return path, unlocked{}, err
}

type unlocked struct{}

func (unlocked) Close() error { return nil }
