package templates

import (
	"html"
	htmltemplate "html/template"
	"io"
)

// MailPreview heads the page that shows all drafts.
type MailPreview struct {
	Case, From, ReplyTo string
	// Count is the number of drafts, Rendered that of those whose HTML part is shown.
	Count, Rendered int
	Redacted        bool
}

// MailPreviewItem is one draft on that page.
type MailPreviewItem struct {
	To, Name, File, Groups, Language, Subject, Text string
	// HTML is the part as it is sent; "" where it is not shown.
	HTML string
	// Open is true where the draft is unfolded.
	Open bool
}

// Frame is the attribute by which a frame shows the HTML part, escaped: the
// frame has no rights, and the page loads nothing.
func (i MailPreviewItem) Frame() htmltemplate.HTMLAttr {
	if i.HTML == "" {
		return ""
	}
	return htmltemplate.HTMLAttr(`srcdoc="` + html.EscapeString(i.HTML) + `"`)
}

var previewPage = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/preview.html"))

// Begin writes the head of the page; Write of each draft and EndMailPreview
// complete it.
func (p MailPreview) Begin(w io.Writer) error { return previewPage.ExecuteTemplate(w, "head", p) }

// Write adds one draft to the page.
func (i MailPreviewItem) Write(w io.Writer) error { return previewPage.ExecuteTemplate(w, "item", i) }

// EndMailPreview writes the end of the page.
func EndMailPreview(w io.Writer) error { return previewPage.ExecuteTemplate(w, "foot", nil) }
