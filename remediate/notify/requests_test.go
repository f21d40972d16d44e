package notify_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid"
	"twinrow/remediate/notify/sendgrid/sendgridtest"
	"twinrow/remediate/notify/smtp"
	"twinrow/remediate/notify/smtp/smtptest"
)

// TestRequestsHoldOneCustomer reads every byte that went out, through both
// carriers: each request holds its own customer and no other one's address,
// name or key.
func TestRequestsHoldOneCustomer(t *testing.T) {
	http, mail := sendgridtest.Start(t, childKey), smtptest.Start(t)
	grid, err := sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: http.URL})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := smtp.New("smtp://" + mail.Address)
	if err != nil {
		t.Fatal(err)
	}
	marks := []string{"alfaq", "bravoq", "charlieq", "deltaq", "echoq", "foxtrotq"}
	for _, carrier := range []notify.Carrier{grid, relay} {
		opened := markedCase(t, marks)
		sent, err := notify.Send(t.Context(), opened, carrier, notify.SendOptions{})
		if err != nil || sent.Accepted != len(marks) {
			t.Fatalf("%s: %+v, %v", carrier.Name(), sent, err)
		}
	}
	var requests []string
	requests = append(requests, http.Raw()...)
	for _, m := range mail.Taken() {
		requests = append(requests, m.From+m.To+m.Raw)
	}
	if len(requests) != 2*len(marks) {
		t.Fatalf("%d requests", len(requests))
	}
	for i, request := range requests {
		// Quoted-printable may break a word at the end of a line.
		flat := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(request, "=\n", ""), "=\r\n", ""))
		for j, mark := range marks {
			for _, v := range []string{mark + "@example.com", "name" + mark, "key" + mark} {
				if got := strings.Contains(flat, v); got != (i%len(marks) == j) {
					t.Errorf("request %d and %q: %v", i, v, got)
				}
			}
		}
		if strings.Contains(request, childKey) != (i < len(marks)) { // the header that the key belongs in
			t.Errorf("request %d and the key", i)
		}
	}
}

// markedCase is a case whose customers' values are all marked.
func markedCase(t *testing.T, marks []string) *casefile.Opened {
	t.Helper()
	opened, groups, choices := writeCase(t, func(add func(*casefile.Group)) {
		for _, mark := range marks {
			values := append(append(fields("email", mark+"@example.com"), fields("name", "Name"+mark)...), fields("order_no", "key"+mark)...)
			add(&casefile.Group{Table: "orders", Class: casefile.Retry, Key: fields("order_no", "key"+mark), Rows: []casefile.Row{
				{ID: fields("id", "1"), Values: values}, {ID: fields("id", "2"), Values: values}}})
		}
	})
	if _, err := notify.Draft(t.Context(), opened, groups, choices, notify.Options{From: "help@example.com"}); err != nil {
		t.Fatal(err)
	}
	return opened
}

// TestConfirmAtSendGrid lets mails be taken without an answer, and asks the
// server's activity about them by the custom argument that they went out with.
func TestConfirmAtSendGrid(t *testing.T) {
	server := sendgridtest.Start(t, childKey)
	opened := draftCase(t, 4)
	client, err := sendgrid.New(sendgrid.Config{Key: childKey, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	server.Then(sendgridtest.Cut(true), sendgridtest.Accept, sendgridtest.Cut(false))
	if _, err := notify.Send(t.Context(), opened, client, notify.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, m := range server.Taken() {
		server.Handle(sendgridtest.Handled{ID: "msg." + m.Personalizations[0].CustomArgs["twinrow_mail"], To: m.Personalizations[0].To[0].Email, Subject: m.Subject, Status: "processed", At: time.Now(), Args: m.Personalizations[0].CustomArgs})
	}
	done, err := notify.Confirm(t.Context(), opened, client, notify.ConfirmOptions{})
	if err != nil || done.Accepted != 1 || done.Absent != 1 {
		t.Errorf("got %+v, %v", done, err)
	}
	done, err = notify.Confirm(t.Context(), opened, client, notify.ConfirmOptions{AbsentAsFailed: true, Now: time.Now().Add(2 * time.Hour)})
	if err != nil || done.Failed != 1 {
		t.Errorf("later: %+v, %v", done, err)
	}
	if _, err := notify.Send(t.Context(), opened, client, notify.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	for address, n := range addressesOf(server, smtptest.Start(t)) {
		if n != 1 {
			t.Errorf("%s got %d mails", address, n)
		}
	}
	if wrong := server.Wrong(); len(wrong) > 0 || len(server.Taken()) != 4 {
		t.Errorf("%d mails, %v", len(server.Taken()), wrong)
	}
}

// TestDraftsOpenInGoMail reads drafts with a parser that is not the standard
// library's: same recipient, same subject, same parts.
func TestDraftsOpenInGoMail(t *testing.T) {
	opened, groups, choices := writeCase(t, func(add func(*casefile.Group)) {
		for i, name := range []string{"Zoë Müller, \"Z\" <x>", "{{.Name}} & Söhne", "Eve\r\nBcc: x@other.example.com", "山田太郎"} {
			values := append(fields("email", fmt.Sprintf("c%d@bücher.example.com", i)), fields("name", name)...)
			add(&casefile.Group{Table: "orders", Key: fields("order_no", "ключ <b>"), Rows: []casefile.Row{{ID: fields("id", "1"), Values: values}, {ID: fields("id", "2"), Values: values}}})
		}
	})
	drafts, err := notify.Draft(t.Context(), opened, groups, choices, notify.Options{From: "help@example.com", Language: "de"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range drafts.Mails {
		want, err := notify.LoadMessage(opened, m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gomail.EMLToMsgFromFile(filepath.Join(opened.Dir, notify.DraftsName, m.File))
		if err != nil {
			t.Fatal(err)
		}
		to := got.GetTo()
		if len(to) != 1 || to[0].Address != want.To.Address || to[0].Name != want.To.Name || len(got.GetCc())+len(got.GetBcc()) != 0 {
			t.Errorf("%s is to %v, want %v", m.File, to, want.To)
		}
		if subject := got.GetGenHeader(gomail.HeaderSubject); len(subject) != 1 || subject[0] != want.Subject {
			t.Errorf("the subject is %q, want %q", subject, want.Subject)
		}
		var parts []string
		for _, part := range got.GetParts() {
			content, err := part.GetContent()
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, strings.ReplaceAll(string(content), "\r\n", "\n"))
		}
		if len(parts) != 2 || parts[0] != want.Text || parts[1] != want.HTML {
			t.Errorf("%s has the parts %q", m.File, parts)
		}
	}
}
