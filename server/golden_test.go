package server_test

import "flag"

var update = flag.Bool("update", false, "write the golden tables anew")
