package main

import (
	"encoding/json"

	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid"
	"twinrow/remediate/notify/smtp"
)

func (p *program) cmdNotify() *cli.Command {
	return command(cli.Command{
		Name:        "notify",
		Usage:       "tell every customer once, and only theirs: draft, send, status, confirm, settle",
		UsageText:   "twinrow notify draft|send|status|confirm|settle CASE [FLAG…]",
		Description: "EXAMPLE\n   twinrow notify draft incident --from tickets@example.com --reply-to help@example.com",
		Subcommands: []*cli.Command{p.cmdNotifyDraft(), p.cmdNotifySend(), p.cmdNotifyStatus(), p.cmdNotifyConfirm(), p.cmdNotifySettle()},
		Action: func(*cli.Context) error {
			return &key.Problem{Code: key.CodeUsage, Message: "notify needs to know what to do", Hint: "the forms are `twinrow notify draft|send|status|confirm|settle CASE`"}
		},
	})
}

// sendGrid is the client for SendGrid; a not-found Problem where no key is set.
func (p *program) sendGrid(sandbox bool) (*sendgrid.Client, error) {
	apiKey, _ := p.getenv("SENDGRID_API_KEY")
	if apiKey == "" {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "SENDGRID_API_KEY is not set", Hint: "set it to a key that may send mail; keys are only read from the environment"}
	}
	base, _ := p.getenv("SENDGRID_BASE_URL")
	return sendgrid.New(sendgrid.Config{Key: apiKey, BaseURL: base, Sandbox: sandbox})
}

// carrier is what sends the mails: the SMTP server of a flag, else what the
// environment names. Where it names both, nobody guesses.
func (p *program) carrier(smtpURL string, sandbox bool) (notify.Carrier, error) {
	_, hasKey := p.getenv("SENDGRID_API_KEY")
	named, _ := p.getenv("SMTP_URL")
	if smtpURL == "" && named != "" {
		if hasKey {
			return nil, &key.Problem{Code: key.CodeUsage, Message: "both SENDGRID_API_KEY and SMTP_URL are set, and a mail goes one way only", Hint: "unset one of them, or name the SMTP server with --smtp"}
		}
		smtpURL = named
	}
	switch {
	case smtpURL != "" && sandbox:
		return nil, &key.Problem{Code: key.CodeUsage, Message: "there is no sandbox in SMTP", Hint: "leave --sandbox out; --limit 1 and --only send a first mail"}
	case smtpURL != "":
		return smtp.New(smtpURL)
	}
	client, err := p.sendGrid(sandbox)
	if absent(err) {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "SENDGRID_API_KEY is not set, and no SMTP server is named", Hint: "set it to a key that may send mail, or name a server with --smtp or SMTP_URL"}
	} else if err != nil {
		return nil, err
	}
	return client, nil
}

// writeJSON prints a document as the product.
func (p *program) writeJSON(document any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
