// Package dynamodb is the source for one table of DynamoDB. It owns how the
// table is scanned: in parallel segments, with consistent reads, through the
// AWS SDK with its usual environment, profile and endpoint.
//
// DynamoDB has no snapshots and charges for every read, so the table is read
// just once, into a temporary file that has no name (0600), as lines of items;
// package file reads those, and owns what DynamoDB calls equal. What is written
// to the table while it is read may be in the copy or not. It must not know
// what the rows mean, and it calls nothing that writes.
package dynamodb

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/file"
)

// Options are what a caller may choose.
type Options struct {
	// Segments is how many parts of the table are read at once; below 1 it is 2.
	Segments int
	// Pace holds the reading back, counted in bytes of what was sent; nil does not.
	Pace *source.Pace
	// Before is told how large DynamoDB says the table is, before it is read; its
	// error ends the reading. nil is not asked.
	Before func(items, bytes int64) error
}

// Way is how a table is read, and WayReason why.
const (
	Way       = "copied scan"
	WayReason = "the table is read once, with consistent reads, into a temporary copy, because DynamoDB charges for every read and keeps no snapshot"
)

// Source is the copy of one table.
type Source struct {
	*file.Source
	info source.Info
	// primary are the attributes of the table's primary key.
	primary []string
}

var _ source.Source = (*Source)(nil)

// Open scans the table into a copy. The errors are *key.Problem and hold no key.
func Open(ctx context.Context, table string, opts Options) (*Source, error) {
	if table == "" {
		return nil, &key.Problem{Code: key.CodeUsage, Message: "no table of DynamoDB is named", Hint: "name it as in dynamodb:tickets"}
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, explain("reading the AWS settings", err)
	}
	client := dynamodb.NewFromConfig(settings)
	described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, missing(ctx, client, table, err)
	}
	s := &Source{info: source.Info{
		Engine: "dynamodb", Database: table, Location: "dynamodb:" + table, Identity: aws.ToString(described.Table.TableArn),
		Unknown: []string{"DynamoDB keeps no transaction times"},
	}}
	for _, kind := range []types.KeyType{types.KeyTypeHash, types.KeyTypeRange} {
		for _, k := range described.Table.KeySchema {
			if k.KeyType == kind {
				s.primary = append(s.primary, aws.ToString(k.AttributeName))
			}
		}
	}
	if opts.Before != nil {
		if err := opts.Before(aws.ToInt64(described.Table.ItemCount), aws.ToInt64(described.Table.TableSizeBytes)); err != nil {
			return nil, err
		}
	}
	s.Source, err = copied(ctx, &reading{client, table, int32(max(opts.Segments, 1)), opts.Pace}) //nolint:gosec // a number of connections
	if err != nil {
		return nil, err
	}
	return s, nil
}

// copied scans the table and opens what was read.
func copied(ctx context.Context, r *reading) (*file.Source, error) {
	lines, writer := io.Pipe()
	scanned := make(chan error, 1)
	go func() {
		err := r.scan(ctx, writer)
		_ = writer.CloseWithError(err) // it never fails
		scanned <- err
	}()
	copied, err := file.Open(ctx, "-", lines, file.Options{Format: file.Items, Table: r.table})
	_ = lines.Close() // ends the scan, where it still runs
	if wrong := <-scanned; wrong != nil && !errors.Is(wrong, io.ErrClosedPipe) {
		if copied != nil {
			wrong = errors.Join(wrong, copied.Close())
		}
		return nil, explain("scanning the table "+r.table, wrong)
	}
	return copied, err
}

// Info says what the table is.
func (s *Source) Info() source.Info { return s.info }

// Capabilities says that the copy is read in its own order.
func (s *Source) Capabilities(*source.Table) source.Capabilities {
	return source.Capabilities{Way: Way, Reason: WayReason}
}

// Inspect resolves a request; a row's identity is the table's primary key
// unless the request names another.
func (s *Source) Inspect(ctx context.Context, req source.Request) (*source.Table, error) {
	if len(req.ID) == 0 {
		req.ID = s.primary
	}
	// A case that was made from `dynamodb:t` names the table as file does.
	if strings.EqualFold(req.Table, s.info.Location) {
		req.Table = ""
	}
	return s.Source.Inspect(ctx, req)
}
