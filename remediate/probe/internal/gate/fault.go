package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Kinds of faults, in the words that a person reads in a result.
const (
	KindTimeout  = "timed out"
	KindReset    = "connection reset"
	KindClosed   = "closed before the answer was whole"
	KindProtocol = "not understood"
	KindRefused  = "connection refused"
	KindStopped  = "stopped"
	KindOther    = "network error"
)

// Fault is why an answer is missing. Its kind is coarse on purpose: results
// count faults by it.
type Fault struct {
	Kind string
	Err  error
}

// Error joins the kind and its cause.
func (f *Fault) Error() string {
	if f.Err == nil {
		return f.Kind
	}
	return f.Kind + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// AsFault names what went wrong on a connection; nil stays nil.
func AsFault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*Fault](err); ok {
		return known
	}
	return &Fault{Kind: kind(ctx, err), Err: err}
}

func kind(ctx context.Context, err error) string {
	var network net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return KindStopped
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &network) && network.Timeout():
		return KindTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return KindClosed
	}
	return KindOther
}
