// Go's driver: mysql_go PORT

package main

import (
	"database/sql"
	"fmt"
	"os"
	"sync"

	"github.com/go-sql-driver/mysql"
)

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func main() {
	for _, more := range []string{"", "&interpolateParams=true"} {
		db, err := sql.Open("mysql", "app:secret@tcp(127.0.0.1:"+
			os.Args[1]+")/shop?parseTime=true"+more)
		check(err)
		run(db)
		db.Close()
	}
}

func run(db *sql.DB) {
	_, err := db.Exec("DROP TABLE IF EXISTS go_t")
	check(err)
	_, err = db.Exec("CREATE TABLE go_t (id INT AUTO_INCREMENT PRIMARY KEY, " +
		"n BIGINT, name VARCHAR(50), d DATETIME)")
	check(err)

	for i := 0; i < 10; i++ {
		r, err := db.Exec("INSERT INTO go_t (n, name, d) VALUES (?, ?, ?)",
			i, fmt.Sprint("name ", i), "2024-02-29 12:34:56")
		check(err)
		id, _ := r.LastInsertId()
		n, _ := r.RowsAffected()
		fmt.Println("inserted", id, n)
	}

	st, err := db.Prepare("SELECT n, name, d FROM go_t WHERE n >= ? ORDER BY n")
	check(err)

	for _, from := range []int{3, 8} {
		rows, err := st.Query(from)
		check(err)

		for rows.Next() {
			var n int64
			var name string
			var d sql.NullTime
			check(rows.Scan(&n, &name, &d))
			fmt.Println(n, name, d.Time)
		}

		check(rows.Err())
	}

	st.Close()

	tx, err := db.Begin()
	check(err)
	_, err = tx.Exec("DELETE FROM go_t")
	check(err)
	check(tx.Rollback())

	var count int
	check(db.QueryRow("SELECT COUNT(*) FROM go_t").Scan(&count))
	fmt.Println("left", count)

	_, err = db.Exec("INSERT INTO go_t (id) VALUES (1)")
	fmt.Println("error", err.(*mysql.MySQLError).Number)

	// many at once

	var wait sync.WaitGroup
	sums := make([]int, 20)

	for i := range sums {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			check(db.QueryRow("SELECT ? + ?", i, i).Scan(&sums[i]))
		}(i)
	}

	wait.Wait()
	fmt.Println(sums)

	_, err = db.Exec("DROP TABLE go_t")
	check(err)
}
