package h2

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"twinrow/remediate/probe/internal/gate"
)

// composer writes frames into memory. The header compression has a state that
// the server follows, so what is composed must be sent, and in order.
type composer struct {
	out    bytes.Buffer
	framer *http2.Framer
	block  bytes.Buffer
	hpack  *hpack.Encoder
}

func newComposer() *composer {
	c := &composer{}
	c.framer = http2.NewFramer(&c.out, nil)
	c.hpack = hpack.NewEncoder(&c.block)
	return c
}

// take returns what was composed and starts afresh.
func (c *composer) take() []byte {
	p := bytes.Clone(c.out.Bytes())
	c.out.Reset()
	return p
}

// header composes the HEADERS of a request, and CONTINUATION where the block
// is longer than a frame.
func (c *composer) header(id uint32, request *gate.Request, maxFrame int) error {
	c.block.Reset()
	for _, field := range fields(request) {
		if err := c.hpack.WriteField(hpack.HeaderField{Name: field.Name, Value: field.Value}); err != nil {
			return fmt.Errorf("packing the header: %w", err)
		}
	}
	block := c.block.Bytes()
	first := block[:min(len(block), maxFrame)]
	rest := block[len(first):]
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: first, EndStream: len(request.Body) == 0, EndHeaders: len(rest) == 0,
	})
	for err == nil && len(rest) > 0 {
		part := rest[:min(len(rest), maxFrame)]
		rest = rest[len(part):]
		err = c.framer.WriteContinuation(id, len(rest) == 0, part)
	}
	return err
}

// data composes a part of a body.
func (c *composer) data(id uint32, p []byte, end bool, maxFrame int) error {
	for len(p) > maxFrame {
		if err := c.framer.WriteData(id, false, p[:maxFrame]); err != nil {
			return err
		}
		p = p[maxFrame:]
	}
	return c.framer.WriteData(id, end, p)
}

// fields are the pseudo fields and the header, lower case as HTTP/2 has it,
// without what belongs to a connection.
func fields(request *gate.Request) []gate.Field {
	all := []gate.Field{
		{Name: ":method", Value: request.Method}, {Name: ":scheme", Value: request.Scheme},
		{Name: ":authority", Value: request.Authority}, {Name: ":path", Value: request.Path},
	}
	for _, field := range request.Header {
		name := strings.ToLower(field.Name)
		switch name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host":
			continue
		}
		all = append(all, gate.Field{Name: name, Value: field.Value})
	}
	if len(request.Body) > 0 {
		all = append(all, gate.Field{Name: "content-length", Value: strconv.Itoa(len(request.Body))})
	}
	return all
}
