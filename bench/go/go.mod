module homeward.example/bench

go 1.21
