// Package plan owns plan.json: which rows go, which stay, by what operations,
// with what hazards and what effect. It is made from a case alone, is read by
// a person, and is what apply carries out.
//
// It must not know a database driver, the SQL that an operation becomes, or
// how the plan is carried out.
package plan

import (
	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// Problem is an error that a person can act on.
type Problem = key.Problem

// The types of the case, under this package's name for the stages after it.
type (
	// Case is a case that was opened.
	Case = casefile.Opened
	// Fields are named values in order.
	Fields = casefile.Fields
	// Field is one of them.
	Field = casefile.Field
	// CaseTable is a table as the scan saw it.
	CaseTable = casefile.Table
	// Column is one of its columns.
	Column = casefile.Column
	// KeyPart is a column or an expression of the key.
	KeyPart = casefile.KeyPart
	// Tool is the program that wrote a document.
	Tool = casefile.Tool
	// ForeignKey is a reference to the table from another.
	ForeignKey = casefile.ForeignKey
	// Child is what was seen of a table that refers.
	Child = casefile.Child
	// UniqueKey is a unique key of a table that refers.
	UniqueKey = casefile.UniqueKey
)

// Codes of problems, under this package's name for the stages after it.
const (
	CodeUsage       = key.CodeUsage
	CodeBadInput    = key.CodeBadInput
	CodeNotFound    = key.CodeNotFound
	CodeConnection  = key.CodeConnection
	CodePermission  = key.CodePermission
	CodeDisk        = key.CodeDisk
	CodeExists      = key.CodeExists
	CodeTampered    = key.CodeTampered
	CodeDrift       = key.CodeDrift
	CodeBusy        = key.CodeBusy
	CodeUnsupported = key.CodeUnsupported
	CodeRefused     = key.CodeRefused
	CodeStopped     = key.CodeStopped
)

// Schema of plan.json.
const Schema = "twinrow/plan/v1"

// The documents, relative to the case directory.
const (
	Name   = casefile.PlanName
	SQLDir = "sql"
	// StopFile stops a run after the batch in hand, by being there.
	StopFile = "stop"
	Journal  = casefile.JournalName
)
