//go:build matrix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestChatOverAWS runs the README's probe of chat messages against a program
// over the interfaces of DynamoDB and SQS. `make test-probe-aws` installs them.
func TestChatOverAWS(t *testing.T) {
	parts := os.Getenv("TWINROW_CHAT_PARTS")
	if parts == "" {
		t.Fatal("TWINROW_CHAT_PARTS names no folder: run make test-probe-aws")
	}
	program, err := filepath.Abs("testdata/aws/chat.mjs")
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/aws", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "readme": func(ts *testscript.TestScript, _ bool, args []string) { readmeCommand(ts, false, args) },
			"chat-aws": func(ts *testscript.TestScript, _ bool, args []string) {
				stop() // of two at once both are slow
				ts.Setenv("TWINROW_CHAT_PARTS", parts)
				stop = startChat(ts, program, args[0], parts)
				ts.Defer(stop)
			},
		},
	})
}

// startChat starts the program and takes over what it says of its addresses.
func startChat(ts *testscript.TestScript, program, role, parts string) (stop func()) {
	chat := exec.Command("node", program, role, ts.MkAbs("."))
	chat.Env, chat.Stderr = append(os.Environ(), "TWINROW_CHAT_PARTS="+parts), os.Stderr
	input, err := chat.StdinPipe()
	ts.Check(err)
	output, err := chat.StdoutPipe()
	ts.Check(err)
	ts.Check(chat.Start())
	stop = sync.OnceFunc(func() {
		_ = input.Close()
		_ = chat.Wait()
	})
	for lines := bufio.NewScanner(output); lines.Scan() && lines.Text() != "ready"; {
		name, value, _ := strings.Cut(lines.Text(), " ")
		ts.Setenv(name, value)
	}
	for name, value := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example-secret",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		ts.Setenv(name, value)
	}
	// The AWS command line is not here; what is asked of it is one number.
	ts.Check(os.MkdirAll(ts.MkAbs("bin"), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs("bin/aws"), fmt.Appendf(nil, "#!/bin/sh\nexec node %s depth\n", program), 0o700)) //nolint:gosec // it must be run
	ts.Setenv("PATH", ts.MkAbs("bin")+string(os.PathListSeparator)+ts.Getenv("PATH"))
	return stop
}
