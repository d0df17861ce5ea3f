//! Tests of telling a query's clauses apart.

use super::*;

fn split(text: &str) -> Result<Select, SelectError> {
    Select::split(&SqlText::new(text).unwrap())
}

#[test]
fn clauses_are_told_apart() {
    let select = split(
        "select time_bucket('1 h', t) as bucket, sum(v) FILTER (WHERE v > 0), a IS DISTINCT FROM b AS from\n\
         FROM public.m AS x WHERE (extract(epoch from t) > 0) and s = 'group by' GROUP  BY 1, 3 HAVING count(*) > 0 ORDER BY 1",
    )
    .unwrap();
    assert!(select.list.starts_with("time_bucket('1 h', t)") && select.list.ends_with("AS from"));
    assert_eq!(select.from, "public.m AS x");
    assert_eq!(select.filter.as_deref(), Some("(extract(epoch from t) > 0) and s = 'group by'"));
    assert_eq!(select.group, "1, 3");
    assert_eq!(select.having.as_deref(), Some("count(*) > 0"));
    assert_eq!(select.rest.as_deref(), Some("\"order\" by 1"));
    assert_eq!(select.over_nothing("1", true), "SELECT 1 FROM public.m AS x WHERE false GROUP BY 1, 3");
}

#[test]
fn what_is_no_such_query_is_said() {
    assert_eq!(split("WITH a AS (SELECT 1) SELECT 1"), Err(SelectError::NoSelect));
    assert_eq!(split("SELECT 1"), Err(SelectError::Without("FROM")));
    assert_eq!(split("SELECT 1 FROM a"), Err(SelectError::Without("GROUP BY")));
    assert_eq!(split("SELECT 1 FROM a GROUP BY 1 WHERE true"), Err(SelectError::Unordered("WHERE".into())));
    assert_eq!(split("SELECT 1 FROM a GROUP BY 1 GROUP BY 2"), Err(SelectError::Unordered("GROUP".into())));
    assert_eq!(
        split("SELECT 1 FROM a GROUP BY 1 UNION SELECT 2 FROM b GROUP BY 1"),
        Err(SelectError::Several("UNION".into()))
    );
}

fn from(text: &str) -> Select {
    split(&format!("SELECT 1 FROM {text} GROUP BY 1")).unwrap()
}

#[test]
fn relations_are_found_whatever_stands_around_them() {
    let names = |text: &str| -> Vec<String> {
        let sources = from(text).sources();
        sources.iter().map(|s| format!("{}.{} {}", s.schema.clone().unwrap_or_default(), s.name, s.alias)).collect()
    };
    assert_eq!(names("public.M"), ["public.m m"]);
    assert_eq!(names("\"Odd s\".\"a.b\" AS \"X\""), ["Odd s.a.b X"]);
    assert_eq!(names("a, s.b c"), [".a a", "s.b c"]);
    assert_eq!(names("(a JOIN s.b x ON ((a.id = x.id)))"), [".a a", "s.b x"]);
    assert_eq!(names("a LEFT OUTER JOIN s.b USING (id) CROSS JOIN c"), [".a a", "s.b b", ".c c"]);
    assert_eq!(names("a JOIN LATERAL (SELECT 1 FROM z) q ON true JOIN b ON b.x = a.x"), [".a a", ".b b"]);
    assert_eq!(names("generate_series(1, 2) g, b"), [".b b"]);
}

#[test]
fn joins_are_alike_however_they_are_bracketed() {
    let normal = |text: &str| {
        let select = from(text);
        let conditions = select.join_conditions();
        select.normal_from(&conditions.iter().map(|c| c.replace(['(', ')', ' '], "")).collect::<Vec<_>>())
    };
    let one = normal("public.m AS m INNER JOIN public.\"i\" x ON m.id = x.id");
    assert_eq!(one, normal("(public.m m\n JOIN public.i x ON ((m.id = x.id)))"));
    assert_ne!(one, normal("public.m m LEFT JOIN public.i x ON m.id = x.id"));
    assert_ne!(one, normal("public.m m JOIN public.i x ON m.id = x.other"));
    assert_ne!(one, normal("public.m m JOIN other.i x ON m.id = x.id"));
    assert_eq!(normal("a JOIN b USING (id)"), normal("(a JOIN b USING (id))"));
    assert_eq!(
        from("(a JOIN b ON ((a.x = b.x)) JOIN c ON ((b.y = c.y)))").join_conditions(),
        ["((a.x = b.x))", "((b.y = c.y))"]
    );
}

#[test]
fn what_relations_are_called_makes_no_difference_in_a_join() {
    let form = |list: &str, text: &str| {
        let select = from(text);
        let names = select.names();
        let conditions: Vec<String> = select.join_conditions().iter().map(|on| requalified(on, &names)).collect();
        format!("{} FROM {}", requalified(list, &names), select.normal_from(&conditions))
    };
    let one = form("m.a, i.b", "public.m JOIN public.i ON m.id = i.id");
    assert_eq!(one, "public.m.a, public.i.b FROM public.m \"join\" public.i \"on\" public.m.id = public.i.id");
    assert_eq!(one, form("x.a, \"Y\".b", "public.m AS x JOIN public.i \"Y\" ON x.id = \"Y\".id"));
    // The names change places, and with them what they mean.
    assert_eq!(one, form("i.a, m.b", "public.m i JOIN public.i AS m ON i.id = m.id"));
    assert_ne!(one, form("i.a, m.b", "public.m JOIN public.i ON m.id = i.id"));
    assert_ne!(one, form("m.a, i.b", "public.i m JOIN public.m i ON m.id = i.id"));
    // One relation twice: which of the two is meant makes a difference.
    let twice = form("a.x, b.x", "public.m a, public.m b");
    assert_eq!(twice, form("p.x, q.x", "public.m p, public.m AS q"));
    assert_ne!(twice, form("b.x, a.x", "public.m a, public.m b"));
    // What cannot be told is left as it is written.
    let subquery = "public.m x JOIN (SELECT x.id FROM public.i x) y ON x.id = y.id";
    assert_eq!(from(subquery).names(), BTreeMap::new());
    assert_eq!(from("a.t, b.t").names(), BTreeMap::new(), "both are called alike");
}

#[test]
fn a_qualifier_goes_where_it_stands_before_a_column_only() {
    let without = |text: &str, alias: &str| requalified(text, &BTreeMap::from([(alias.to_owned(), String::new())]));
    assert_eq!(without("m.\"time\", f(m.a, x.m.b, 'm.c'), M.d", "m"), "\"time\", f(a, x.m.b, 'm.c'), d");
    assert_eq!(without("m.f(1)", "m"), "m.f(1)");
    assert_eq!(without("\"M\".a, m.a", "M"), "a, m.a");
    let kept = "'x'::m.mood, (t.a COLLATE m.c), (1 OPERATOR(m.+) 2)";
    assert_eq!(without(kept, "m"), kept, "what is in a schema of that name");
}

#[test]
fn strings_and_dollar_quotes_hold_no_clause() {
    let select = split("SELECT E'\\' from ', $q$ from $q$, U&'x', \"from\" FROM a GROUP BY 1").unwrap();
    assert_eq!(select.from, "a");
    assert!(select.list.ends_with("\"from\""));
}

#[test]
fn a_query_stands_in_for_a_relation_under_the_same_name() {
    let from = from("public.a JOIN public.b AS x ON a.i = x.i");
    let stood = from.standing_in(&|name| (name.name != "c").then(|| format!("SELECT '{}'", name.name)));
    assert_eq!(stood.from, "(SELECT 'a') AS a JOIN (SELECT 'b') AS x ON a.i = x.i");
}

#[test]
fn what_is_grouped_by_is_listed_or_not() {
    let listed =
        |list: &str, group: &str| split(&format!("SELECT {list} FROM a GROUP BY {group}")).unwrap().groups_listed();
    let bucket = "time_bucket('01:00:00'::interval, r.\"time\")";
    assert_eq!(listed(&format!("{bucket} AS b, r.v, (r.w + 1) AS \"W\""), &format!("({bucket}), r.v, (r.w + 1)")), 3);
    assert_eq!(listed(&format!("{bucket} AS b, sum(r.v) AS s"), &format!("({bucket}), r.v")), 1);
    assert_eq!(listed("(a) + (b) AS x", "((a) + (b))"), 1);
}

#[test]
fn each_item_has_a_line() {
    let select = split("SELECT f(a, b) AS x,\n  c FROM t\n WHERE a = 1 GROUP BY 1, c HAVING true").unwrap();
    let expected = "SELECT\n    f(a, b) AS x,\n    c,\nFROM t\nWHERE a = 1\nGROUP BY\n    1,\n    c,\nHAVING true";
    assert_eq!(select.lines(), expected);
}

/// What stands in the place of a relation has no schema that a column could be named with.
#[test]
fn columns_lose_the_schema_of_what_is_stood_in_for() {
    let sql = "SELECT public.a.x, \"Public\".a.x, max(public.b.y), count(public.a.*), 'public.a.x' \
               FROM public.a JOIN public.b ON public.a.i = public.b.i WHERE public.a.x > s.public.a.x \
               GROUP BY public.a.x, 2 HAVING max(public.a.x) > 1";
    let select = Select::split(&SqlText::new(sql).unwrap()).unwrap();
    let stood = select.standing_in(&|name| (name.name == "a").then(|| "SELECT 1".to_owned()));
    assert_eq!(stood.list, "a.x, \"Public\".a.x, max(public.b.y), count(a.*), 'public.a.x'");
    assert_eq!(stood.from, "(SELECT 1) AS a JOIN public.b ON a.i = public.b.i");
    assert_eq!(stood.filter.as_deref(), Some("a.x > s.public.a.x"));
    assert_eq!((stood.group.as_str(), stood.having.as_deref()), ("a.x, 2", Some("max(a.x) > 1")));
    // One with an alias is not called by its own name.
    let select = Select::split(&SqlText::new("SELECT public.a.x FROM public.a AS z GROUP BY 1").unwrap()).unwrap();
    assert_eq!(select.standing_in(&|_| Some("SELECT 1".to_owned())).list, "public.a.x");
}

#[test]
fn relations_of_one_name_are_told_apart() {
    let told =
        |from: &str| split(&format!("SELECT ref.t.x, t.y FROM {from} GROUP BY public.t.y, 2")).unwrap().told_apart();
    let select =
        told("public.t JOIN ref.t ON public.t.i = ref.t.i JOIN \"T\".t ON \"T\".t.i = ref.t.i JOIN x.t_1 ON true");
    assert_eq!(
        select.from,
        "public.t JOIN ref.t AS t_2 ON public.t.i = t_2.i JOIN \"T\".t AS t_3 ON t_3.i = t_2.i JOIN x.t_1 ON true"
    );
    assert_eq!((select.list.as_str(), select.group.as_str()), ("t_2.x, t.y", "public.t.y, 2"));
    let names: Vec<String> = select.names().into_values().collect();
    assert_eq!(names, ["public.t", "x.t_1", "ref.t", "\"T\".t"]);
    for same in [
        "public.t JOIN ref.u ON true",
        "public.t JOIN public.t ON true",
        "public.t JOIN ref.x AS t ON true",
        "public.t JOIN ref.t AS r ON true",
        "public.t JOIN LATERAL (SELECT 1 FROM ref.t) AS r ON true",
    ] {
        assert_eq!(told(same).from, same);
    }
}

#[test]
fn only_what_is_around_a_join_goes_beside_another_query() {
    let normal = |text: &str| {
        let select = from(text);
        select.normal_from(&select.join_conditions())
    };
    let plain = "a.r JOIN LATERAL (SELECT p.x FROM a.p WHERE (p.id = r.id)) AS p ON true";
    assert_eq!(normal(plain), normal(&format!("({})", plain.replace(" AS ", " "))));
    assert_eq!(normal(&format!("{plain} JOIN a.c ON c")), normal(&format!("(({plain}) JOIN a.c ON c)")));
    assert_ne!(normal(plain), normal(&plain.replace("(p.id = r.id)", "p.id = r.id")));
}
