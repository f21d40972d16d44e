package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid/sendgridtest"
	"twinrow/remediate/notify/smtp/smtptest"
)

// mailer runs command lines in one directory with one environment.
type mailer struct {
	*testing.T
	dir string
	env map[string]string
}

func newMailer(t *testing.T) *mailer {
	m := &mailer{T: t, dir: t.TempDir(), env: map[string]string{}}
	rows := "id,order_no,email,created_at\n"
	for i := range 5 {
		rows += fmt.Sprintf("%d,o%d,c%d@example.com,2025-12-24T03:20:37.914Z\n%d,o%d,c%d@example.com,2025-12-24T03:20:37.993Z\n", 2*i, i, i, 2*i+1, i, i)
	}
	if err := os.WriteFile(filepath.Join(m.dir, "orders.csv"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	m.want(0, "scan", m.dir+"/orders.csv", "--key", "order_no", "--time", "created_at", "--case", m.dir+"/case", "--quiet")
	m.want(0, "notify", "draft", m.dir+"/case", "--from", "Shop <shop@example.com>", "--quiet")
	return m
}

// want runs a command, wants its exit status, and returns what it printed.
func (m *mailer) want(status int, args ...string) string {
	m.Helper()
	var out bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now, getenv: func(name string) (string, bool) { v, ok := m.env[name]; return v, ok }}
	if got := p.run(m.Context(), args); got != status {
		m.Fatalf("twinrow %q ended with %d, want %d:\n%s", args, got, status, out.String())
	}
	for _, secret := range []string{"SG.secret", "hunter2"} {
		if strings.Contains(out.String(), secret) {
			m.Errorf("twinrow %q printed a secret:\n%s", args, out.String())
		}
	}
	return out.String()
}

func (m *mailer) contains(output string, wants ...string) {
	m.Helper()
	for _, want := range wants {
		if !strings.Contains(output, want) {
			m.Errorf("no %q in:\n%s", want, output)
		}
	}
}

func TestNotifyThroughSendGrid(t *testing.T) {
	m := newMailer(t)
	server := sendgridtest.Start(t, "SG.secret")
	m.env["SENDGRID_API_KEY"], m.env["SENDGRID_BASE_URL"] = "SG.secret", server.URL
	m.contains(m.want(3, "notify", "send", m.dir+"/case"), "to c0@example.com: Your order was recorded twice", "to c2@example.com", "Send 5 mails through sendgrid?", "--yes")
	m.contains(m.want(0, "notify", "send", m.dir+"/case", "--sandbox", "--yes"), "0 accepted", "5 checked in the sandbox")
	m.contains(m.want(0, "notify", "send", m.dir+"/case", "--limit", "1", "--yes"), "1 accepted")
	m.contains(m.want(0, "notify", "send", "--only", " C3@example.com", m.dir+"/case", "--yes"), "1 accepted")
	server.Then(sendgridtest.Cut(true))
	m.contains(m.want(4, "notify", "send", m.dir+"/case", "--rate", "1000", "--yes"), "2 accepted", "1 unknown")
	m.want(0, "notify", "send", m.dir+"/case", "--yes")
	if taken := server.Taken(); len(taken) != 5 {
		t.Errorf("%d mails were taken", len(taken))
	}
	for _, mail := range server.Taken() {
		server.Handle(sendgridtest.Handled{ID: "x", To: mail.Personalizations[0].To[0].Email, Status: "delivered", At: time.Now(), Args: mail.Personalizations[0].CustomArgs})
	}
	m.contains(m.want(0, "notify", "confirm", m.dir+"/case"), "1 settled as accepted, 0 as failed, 0 stay unknown", "c1@example.com: accepted, found in the provider's activity: delivered")
	if got := m.want(0, "notify", "status", m.dir+"/case", "--format", "json"); strings.Count(got, `"state": "accepted"`) != 5 {
		t.Errorf("the status is\n%s", got)
	}
	m.want(2, "notify", "confirm", m.dir+"/case", "--subject", "x")
	m.want(2, "notify", "confirm", m.dir+"/case", "--original", "--absent-as-failed")
	m.want(2, "notify", "send", m.dir+"/case", "--rate", "-1")
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
}

func TestNotifyConfirmOriginal(t *testing.T) {
	m := newMailer(t)
	server := sendgridtest.Start(t, "SG.secret")
	m.env["SENDGRID_API_KEY"], m.env["SENDGRID_BASE_URL"] = "SG.secret", server.URL
	m.contains(m.want(0, "notify", "confirm", m.dir+"/case", "--original", "--limit", "2"), "confirmed in SendGrid: ", notify.ConfirmedName, "does not reach back")
	raw, err := os.ReadFile(filepath.Join(m.dir, "case", notify.ConfirmedName))
	if err != nil {
		t.Fatal(err)
	}
	m.contains(string(raw), `"schema": "twinrow/confirmed/v1"`, `"verdict": "unknown"`)
	delete(m.env, "SENDGRID_API_KEY")
	m.contains(m.want(2, "notify", "confirm", m.dir+"/case"), "SENDGRID_API_KEY is not set")
}

func TestNotifyThroughSMTP(t *testing.T) {
	m := newMailer(t)
	server := smtptest.Start(t)
	m.contains(m.want(2, "notify", "send", m.dir+"/case", "--yes"), "SENDGRID_API_KEY is not set", "--smtp")
	m.env["SMTP_URL"] = "smtp://" + server.Address
	m.contains(m.want(3, "notify", "send", m.dir+"/case"), "Send 5 mails through smtp?")
	m.contains(m.want(2, "notify", "send", m.dir+"/case", "--sandbox", "--yes"), "no sandbox in SMTP")
	server.Then(smtptest.Fault{Stage: smtptest.AfterDot, Take: true})
	m.contains(m.want(4, "notify", "send", m.dir+"/case", "--yes"), "4 accepted", "1 unknown")
	m.want(0, "notify", "send", m.dir+"/case", "--yes")
	if taken := server.Taken(); len(taken) != 5 {
		t.Errorf("%d mails were taken", len(taken))
	}
	m.env["SENDGRID_API_KEY"] = "SG.secret"
	m.want(0, "notify", "settle", m.dir+"/case", "--mail", "c0@example.com", "--as", "failed")
	m.contains(m.want(2, "notify", "send", m.dir+"/case", "--yes"), "both SENDGRID_API_KEY and SMTP_URL are set")
	m.contains(m.want(2, "notify", "send", m.dir+"/case", "--yes", "--smtp", "http://u:hunter2@x"), "cannot be read")
	m.contains(m.want(0, "notify", "send", m.dir+"/case", "--yes", "--smtp", m.env["SMTP_URL"]), "1 accepted")
	if wrong := server.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
}
