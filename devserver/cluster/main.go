// One executable for a real Temporal cluster: every role, the schema tools and tdbg.
package main

import (
	"fmt"
	"os"
	"strings"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/temporal"
	"go.temporal.io/server/tools/cassandra"
	"go.temporal.io/server/tools/sql"
	"go.temporal.io/server/tools/tdbg"
)

const usage = "usage: %s version | serve CONFIG ROLE[,ROLE...] | sql ARGUMENTS | cassandra ARGUMENTS | tdbg ARGUMENTS\n"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintf(os.Stderr, usage, os.Args[0])
		os.Exit(2)
	}
	rest := os.Args[1:]
	var err error
	switch os.Args[1] {
	case "version":
		fmt.Println(headers.ServerVersion)
	case "serve":
		if len(rest) != 3 {
			fmt.Fprintf(os.Stderr, usage, os.Args[0])
			os.Exit(2)
		}
		err = serve(rest[1], strings.Split(rest[2], ","))
	case "sql":
		err = sql.RunTool(rest)
	case "cassandra":
		err = cassandra.RunTool(rest)
	case "tdbg":
		err = tdbg.NewCliApp().Run(rest)
	default:
		fmt.Fprintf(os.Stderr, usage, os.Args[0])
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(file string, roles []string) error {
	loaded, err := config.Load(config.WithConfigFile(file))
	if err != nil {
		return err
	}
	server, err := temporal.NewServer(
		temporal.ForServices(roles),
		temporal.WithConfig(loaded),
		temporal.InterruptOn(temporal.InterruptCh()),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
	)
	if err != nil {
		return err
	}
	return server.Start()
}
