package h1

import (
	"bytes"
	"fmt"
	"strings"

	"twinrow/remediate/probe/internal/gate"
)

// split writes a request out and parts it into what goes ahead and what is
// held back.
func split(request *gate.Request, hold gate.Hold) (head, tail []byte) {
	whole := encode(request)
	cut := len(whole) - 1
	if hold == gate.HoldHead || len(request.Body) == 0 {
		// The empty line that ends the header, and the body behind it.
		cut = len(whole) - len(request.Body) - 2
	}
	return whole[:cut], whole[cut:]
}

func encode(request *gate.Request) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", request.Method, request.Path, request.Authority)
	for _, field := range request.Header {
		fmt.Fprintf(&out, "%s: %s\r\n", field.Name, field.Value)
	}
	if len(request.Body) > 0 || writes(request.Method) {
		fmt.Fprintf(&out, "Content-Length: %d\r\n", len(request.Body))
	}
	out.WriteString("\r\n")
	out.Write(request.Body)
	return out.Bytes()
}

// writes tells the methods whose missing body is announced as empty.
func writes(method string) bool {
	switch strings.ToUpper(method) {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}
