//! Random policies that are valid for a world: what every kind can say, and what goes together.

use serde_json::{Map, Value as Json, json};

use super::random::Random;
use super::world::{Column, Table, Type, World, full, quoted};

/// Documents that describe a world.
pub fn random(random: &mut Random, world: &mut World) -> Vec<Json> {
    let mut documents = Vec::new();
    for table in world.tables.clone() {
        let document = table_document(random, world, &table);
        let hypertable = document.get("hypertable").cloned();
        documents.push(document);
        if world.policies && (table.made || hypertable.is_some()) && random.chance(35) {
            documents.push(aggregate(random, world, &table, hypertable.is_some()));
        }
    }
    if world.policies && random.chance(25) {
        documents.push(job(random, world));
    }
    if random.chance(20) {
        documents.push(role(random, world));
    }
    if random.chance(20) {
        documents.push(setting(random));
    }
    documents
}

fn table_document(random: &mut Random, world: &mut World, table: &Table) -> Json {
    let mut document = Map::new();
    document.insert("kind".to_owned(), json!("table"));
    document.insert("name".to_owned(), json!(table.full()));
    let mut is_hypertable = table.made;
    // A hypertable that the policy does not mention has no `integer_now`, which its jobs need.
    if world.timescale && (random.chance(70) || (table.made && table.now.is_some())) {
        document.insert("hypertable".to_owned(), hypertable(random, world, table));
        is_hypertable = true;
    }
    let (mut partitions, mut indexes) = (Vec::new(), Vec::new());
    if let Some(list) = document.get("hypertable").and_then(|section| section["partitions"].as_array()) {
        partitions.extend(list.iter().map(|partition| partition["column"].as_str().unwrap().to_owned()));
    }
    for _ in 0..random.below(4) {
        indexes.push(index(random, world, table, is_hypertable, &partitions));
    }
    if world.policies && is_hypertable {
        if random.chance(60) {
            document.insert("columnstore".to_owned(), columnstore(random, table));
        }
        if random.chance(50) {
            document.insert("retention".to_owned(), retention(random, table));
        }
        let ordered = |index: &&Json| index.get("where").is_none() && index.get("method").is_none();
        if let Some(index) = indexes.iter().find(ordered)
            && random.chance(40)
        {
            let mut section = Map::from_iter([("index".to_owned(), index["name"].clone())]);
            add_schedule(random, &mut section, 50);
            document.insert("reorder".to_owned(), section.into());
        }
    }
    if !indexes.is_empty() {
        document.insert("indexes".to_owned(), indexes.into());
    }
    if random.chance(40) {
        document.insert("storage".to_owned(), storage(random));
    }
    document.into()
}

fn hypertable(random: &mut Random, world: &World, table: &Table) -> Json {
    let mut section = Map::from_iter([("time_column".to_owned(), json!(table.time().name))]);
    let mut put = |key: &str, value: Json| section.insert(key.to_owned(), value);
    let whole = table.time().of.is_whole();
    if whole || random.chance(70) {
        put("chunk_interval", if whole { json!(random.between(50, 900)) } else { interval(random, 1, 20) });
    }
    if let Some(now) = &table.now {
        put("integer_now", json!(full(&table.schema, now)));
    }
    if table.rows > 0 && !table.made {
        put("migrate_data", json!(true));
    }
    if random.chance(15) {
        put("create_default_indexes", json!(random.chance(50)));
    }
    if random.chance(20) {
        let column = table.others().iter().find(|column| column.of == Type::Text).unwrap();
        put("partitions", json!([{"column": column.name, "number": random.between(2, 6)}]));
    }
    if world.policies && random.chance(20) {
        let whole: Vec<&Column> = table.others().iter().filter(|column| column.of.is_whole()).collect();
        let columns: Vec<&str> = random.several(&whole, 2).iter().map(|column| column.name.as_str()).collect();
        put("chunk_skipping", json!(columns));
    }
    section.into()
}

/// An interval in one of the ways to write it.
fn interval(random: &mut Random, first: i64, last: i64) -> Json {
    let days = random.between(first, last);
    let written = match random.below(4) {
        0 => format!("{days}d"),
        1 => format!("{} hours", days * 24),
        2 => format!("P{days}D"),
        _ => format!("{days} days"),
    };
    // Not every server takes hours for days: what is compared is what is written.
    json!(if random.chance(70) { format!("{days} days") } else { written })
}

/// An age, as time is counted in a table.
fn age(random: &mut Random, table: &Table, first: i64, last: i64) -> Json {
    if table.time().of.is_whole() { json!(random.between(first, last)) } else { interval(random, first, last) }
}

fn add_schedule(random: &mut Random, section: &mut Map<String, Json>, percent: usize) {
    if !random.chance(percent) {
        return;
    }
    let mut schedule = Map::new();
    let every = format!("{} hours", random.between(1, 48));
    let choices = [
        ("every", json!(every)),
        ("initial_start", json!("2035-01-01 02:00:00+00")),
        ("max_runtime", json!(random.pick(&["0", "1 hour", "90 minutes"]))),
        ("max_retries", json!(random.between(-1, 5))),
        ("retry_period", json!(random.pick(&["5 minutes", "1 hour"]))),
        ("paused", json!(random.chance(50))),
    ];
    for (key, value) in choices {
        if random.chance(50) {
            schedule.insert(key.to_owned(), value);
        }
    }
    // Only a schedule that is fixed has a time zone.
    if schedule.contains_key("initial_start") && random.chance(50) {
        schedule.insert("timezone".to_owned(), json!(random.pick(&["Europe/Berlin", "Asia/Tokyo", "UTC"])));
    }
    if !schedule.is_empty() {
        section.insert("schedule".to_owned(), schedule.into());
    }
}

fn columnstore(random: &mut Random, table: &Table) -> Json {
    let mut section = Map::new();
    let sortable = |column: &&Column| !matches!(column.of, Type::Json | Type::Array);
    let others: Vec<String> = table.others().iter().filter(sortable).map(|column| column.name.clone()).collect();
    let mut left = random.several(&others, 3);
    if random.chance(60) {
        let count = random.below(2);
        let chosen: Vec<String> = left.drain(..count.min(left.len())).collect();
        section.insert("segment_by".to_owned(), json!(chosen));
    }
    if random.chance(60) {
        let mut keys: Vec<Json> = left.iter().take(1).map(|column| key(random, column)).collect();
        keys.push(key(random, &table.time().name));
        section.insert("order_by".to_owned(), keys.into());
    }
    if random.chance(65) {
        // By creation only where time is no number: otherwise they do not go together.
        if table.now.is_none() && random.chance(15) {
            section.insert("created_before".to_owned(), interval(random, 1, 30));
        } else {
            section.insert("after".to_owned(), age(random, table, 1, 30));
        }
        add_schedule(random, &mut section, 40);
    }
    section.into()
}

/// What the later policy leaves as it is must go together with what it writes: a column is in one of the two.
fn apart(later: Option<&Json>, earlier: &mut Json) {
    for (written, left) in [("order_by", "segment_by"), ("segment_by", "order_by")] {
        let is = |key: &str| later.is_some_and(|later| later.get(key).is_some());
        if is(written) && !is(left) {
            earlier.as_object_mut().unwrap().shift_remove(left);
        }
    }
}

/// A key that is a column.
fn key(random: &mut Random, column: &str) -> Json {
    let plain = column.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let order = *random.pick(&["", "asc", "desc"]);
    let nulls = *random.pick(&["", "", "first", "last"]);
    if plain && random.chance(60) {
        let nulls = if nulls.is_empty() { String::new() } else { format!("nulls {nulls}") };
        let words = [column, order, &nulls];
        return json!(words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "));
    }
    let mut parts = Map::from_iter([("column".to_owned(), json!(column))]);
    for (word, said) in [("order", order), ("nulls", nulls)] {
        if !said.is_empty() {
            parts.insert(word.to_owned(), json!(said));
        }
    }
    parts.into()
}

fn retention(random: &mut Random, table: &Table) -> Json {
    let mut section = Map::from_iter([("drop_after".to_owned(), age(random, table, 1500, 4000))]);
    add_schedule(random, &mut section, 50);
    section.into()
}

/// An index. On a hypertable, a unique one has all that it is partitioned by among its keys.
fn index(random: &mut Random, world: &mut World, table: &Table, is_hypertable: bool, partitions: &[String]) -> Json {
    let name = world.name(random, "ix");
    let mut index = Map::from_iter([("name".to_owned(), json!(name))]);
    let sortable = |column: &&Column| !matches!(column.of, Type::Json | Type::Array);
    let columns: Vec<Column> = table.columns.iter().filter(sortable).cloned().collect();
    if random.chance(15)
        && let Some(special) = special(random, table)
    {
        index.extend(special);
    } else {
        let count = 1 + random.below(3);
        let chosen = random.several(&columns, count);
        let mut keys: Vec<Json> = chosen.iter().map(|column| rich_key(random, column)).collect();
        // Rows that are there may be alike.
        if table.rows == 0 && random.chance(20) {
            index.insert("unique".to_owned(), json!(true));
            if random.chance(30) {
                index.insert("nulls_not_distinct".to_owned(), json!(true));
            }
            if is_hypertable {
                let time = table.time().name.clone();
                let needed: Vec<String> = std::iter::once(time).chain(partitions.iter().cloned()).collect();
                keys = needed.iter().map(|column| key(random, column)).collect();
            }
        } else if random.chance(20) {
            let spare: Vec<&Column> =
                table.columns.iter().filter(|column| !chosen.iter().any(|c| c.name == column.name)).collect();
            let include: Vec<&str> = random.several(&spare, 2).iter().map(|column| column.name.as_str()).collect();
            index.insert("include".to_owned(), json!(include));
        }
        index.insert("columns".to_owned(), keys.into());
        if random.chance(20) {
            index.insert("storage".to_owned(), json!({"fillfactor": random.between(50, 99)}));
        }
    }
    if random.chance(25) && index.get("unique").is_none() {
        let column = random.pick(&table.columns).clone();
        index.insert("where".to_owned(), json!(condition(random, &column)));
    }
    index.into()
}

/// An index of another method.
fn special(random: &mut Random, table: &Table) -> Option<Map<String, Json>> {
    let column = random.pick(&table.columns);
    let method = match column.of {
        Type::Json | Type::Array => "gin",
        Type::Text | Type::Boolean => "hash",
        _ => *random.pick(&["brin", "hash"]),
    };
    let parts = json!([{"column": column.name}]);
    Some(Map::from_iter([("method".to_owned(), json!(method)), ("columns".to_owned(), parts)]))
}

/// A key that is a column or an expression over one, with more said of it.
fn rich_key(random: &mut Random, column: &Column) -> Json {
    let name = quoted(&column.name);
    if random.chance(70) {
        let mut key = key(random, &column.name);
        if column.of == Type::Text
            && let Some(parts) = key.as_object_mut()
        {
            if random.chance(20) {
                parts.insert("opclass".to_owned(), json!("text_pattern_ops"));
            } else if random.chance(20) {
                parts.insert("collation".to_owned(), json!("C"));
            }
        }
        return key;
    }
    let choices: Vec<String> = match column.of {
        Type::Text => vec![
            format!("lower({name})"),
            format!("length({name}) % 7"),
            format!("{name} || 'x'"),
            format!("coalesce({name}, '')"),
            format!("substr({name}, 1, 3)"),
            format!("CASE WHEN {name} = 'a' THEN 1 ELSE 2 END"),
        ],
        Type::Bigint | Type::Integer | Type::Smallint => {
            vec![format!("{name} + 1"), format!("abs({name})"), format!("- {name}"), format!("{name} % 7")]
        }
        Type::Float | Type::Numeric => vec![format!("round({name})"), format!("{name} * 2.5"), format!("{name} / 3")],
        Type::Boolean => vec![format!("NOT {name}"), format!("{name} IS TRUE")],
        Type::Timestamptz => {
            vec![format!("{name} AT TIME ZONE 'UTC'"), format!("date_bin('1 day', {name}, '2001-01-01 00:00+00')")]
        }
        Type::Timestamp => vec![format!("date_trunc('day', {name})"), format!("{name} + INTERVAL '1 hour'")],
        Type::Date => vec![format!("{name} + 1"), format!("extract(year FROM {name})")],
        Type::Json | Type::Array => vec![format!("{name} IS NULL")],
    };
    let mut key = json!({"expression": random.pick(&choices)});
    if random.chance(30) {
        key["order"] = json!("desc");
    }
    key
}

fn condition(random: &mut Random, column: &Column) -> String {
    let name = quoted(&column.name);
    let choices: Vec<String> = match column.of {
        Type::Text => vec![
            format!("{name} <> ''"),
            format!("{name} IN ('a', 'b''c')"),
            format!("{name} LIKE 'a%' OR {name} IS NULL"),
            format!("{name} ~ '^[ab]\\d'"),
            format!("lower({name}) = 'x' AND NOT {name} = 'y'"),
        ],
        Type::Bigint | Type::Integer | Type::Smallint => {
            vec![format!("{name} > 10"), format!("{name} BETWEEN 1 AND 5"), format!("{name} = ANY ('{{1,2}}')")]
        }
        Type::Float | Type::Numeric => vec![format!("{name} > 0.5"), format!("{name} > 1e3"), format!("{name} <> -1")],
        Type::Boolean => vec![name.clone(), format!("NOT {name}"), format!("{name} IS NOT TRUE")],
        Type::Date => vec![format!("{name} > '2020-01-01'")],
        Type::Timestamp => vec![format!("{name} > '2020-01-01 00:00'")],
        Type::Timestamptz => vec![format!("{name} >= '2020-01-01 00:00+02'")],
        Type::Json | Type::Array => vec![format!("{name} IS NOT NULL")],
    };
    random.pick(&choices).clone()
}

fn storage(random: &mut Random) -> Json {
    let choices = [
        ("fillfactor", json!(random.between(30, 99))),
        ("autovacuum_enabled", json!(random.chance(50))),
        ("autovacuum_vacuum_scale_factor", json!(random.pick(&[0.02, 0.1, 0.0]))),
        ("autovacuum_vacuum_threshold", json!(random.between(10, 500))),
        ("autovacuum_vacuum_cost_delay", json!(random.pick(&[0.5, 2.0]))),
        ("parallel_workers", json!(random.between(0, 8))),
        ("toast.autovacuum_enabled", json!(random.chance(50))),
        ("toast.autovacuum_vacuum_threshold", json!(random.between(10, 500))),
    ];
    let count = 1 + random.below(4);
    random
        .several(&choices, count)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}

/// A continuous aggregate over a table, which may be made a hypertable by the same policies.
fn aggregate(random: &mut Random, world: &mut World, table: &Table, described: bool) -> Json {
    let (time, whole) = (quoted(&table.time().name), table.time().of.is_whole());
    let width = match table.time().of {
        of if of.is_whole() => format!("{}::{}", random.pick(&[10, 20, 50]), of.sql()),
        _ => format!("INTERVAL '{} days'", random.between(1, 5)),
    };
    let (bucket, count) = (world.name(random, "bucket"), world.name(random, "n"));
    let text = table.others().iter().find(|column| column.of == Type::Text).unwrap();
    let group = world.name(random, "grp");
    let number = table.others().iter().find(|column| column.of == Type::Bigint).unwrap();
    let filter = if random.chance(30) { format!(" WHERE {}", condition(random, number)) } else { String::new() };
    let query = format!(
        "SELECT public.time_bucket({width}, {time}) AS {}, {} AS {}, count(*) AS {}, max({}) AS peak FROM {}{filter} GROUP BY 1, 2",
        quoted(&bucket),
        quoted(&text.name),
        quoted(&group),
        quoted(&count),
        quoted(&number.name),
        table.full(),
    );
    let schema = random.pick(&world.schemas).clone();
    let name = world.name(random, "sums");
    let mut document = Map::new();
    let mut put = |key: &str, value: Json| document.insert(key.to_owned(), value);
    put("kind", json!("continuous_aggregate"));
    put("name", json!(full(&schema, &name)));
    put("query", json!(query));
    if random.chance(50) {
        put("materialized_only", json!(random.chance(50)));
    }
    if random.chance(30) {
        put("chunk_interval", if whole { json!(random.between(500, 900)) } else { interval(random, 20, 40) });
    }
    if random.chance(30) {
        put("with_data", json!(random.chance(50)));
    }
    // Without a time of its own a table of whole numbers has no present to count from.
    if (!whole || described) && random.chance(70) {
        put("refresh", json!([refresh(random, table)]));
        if random.chance(30) {
            put("columnstore", json!({"after": age(random, table, 1300, 1400)}));
        }
        if random.chance(30) {
            put("retention", json!({"drop_after": age(random, table, 5000, 6000)}));
        }
    }
    if random.chance(30) {
        let name = world.name(random, "ix");
        put("indexes", json!([{"name": name, "columns": [key(random, &group), key(random, &bucket)]}]));
    }
    document.into()
}

fn refresh(random: &mut Random, table: &Table) -> Json {
    let mut section = Map::new();
    section.insert("start_offset".to_owned(), age(random, table, 600, 1200));
    if random.chance(70) {
        section.insert("end_offset".to_owned(), age(random, table, 1, 20));
    }
    let numbers = [("buckets_per_batch", 20), ("max_batches_per_execution", 50)];
    for (key, last) in numbers {
        if random.chance(25) {
            section.insert(key.to_owned(), json!(random.between(0, last)));
        }
    }
    if random.chance(25) {
        section.insert("refresh_newest_first".to_owned(), json!(random.chance(50)));
    }
    add_schedule(random, &mut section, 60);
    let every = format!("{} hours", random.between(1, 48));
    let schedule = section.entry("schedule").or_insert_with(|| json!({}));
    schedule.as_object_mut().unwrap().entry("every").or_insert(json!(every));
    section.into()
}

fn job(random: &mut Random, world: &mut World) -> Json {
    let mut document = Map::new();
    // The server keeps the number of a job behind its name, and cuts what is too long.
    let name: String = world.name(random, "roll up").chars().take(12).collect();
    document.insert("kind".to_owned(), json!("job"));
    document.insert("name".to_owned(), json!(name));
    let procedure: &&str = random.pick(&["work", "other_work"]);
    document.insert("procedure".to_owned(), json!(full(&world.schemas[0], procedure)));
    if random.chance(60) {
        document.insert("config".to_owned(), json!({"keep": random.between(1, 9), "it's": [null, "a\"b"]}));
    }
    add_schedule(random, &mut document, 80);
    let schedule = document.entry("schedule").or_insert_with(|| json!({}));
    schedule.as_object_mut().unwrap().entry("every").or_insert(json!("6 hours"));
    document.into()
}

fn role(random: &mut Random, world: &World) -> Json {
    let mut document = Map::new();
    document.insert("kind".to_owned(), json!("role"));
    document.insert("name".to_owned(), json!(world.roles[0]));
    let choices = [
        ("login", json!(random.chance(50))),
        ("createdb", json!(random.chance(50))),
        ("createrole", json!(random.chance(50))),
        ("inherit", json!(random.chance(50))),
        ("connection_limit", json!(random.between(-1, 9))),
        ("comment", json!("it's \"ours\"\\")),
    ];
    let count = random.below(5);
    document.extend(random.several(&choices, count).into_iter().map(|(key, value)| (key.to_owned(), value)));
    let tables: Vec<String> = world.tables.iter().map(Table::full).collect();
    let privileges = random.several(&["select", "insert", "update", "delete", "truncate"], 2);
    let mut grants = vec![json!({"privileges": privileges, "tables": random.several(&tables, 2)})];
    if random.chance(50) {
        grants.push(json!({"privileges": ["usage"], "schemas": [world.schemas.last()]}));
    }
    document.insert("grants".to_owned(), grants.into());
    document.into()
}

fn setting(random: &mut Random) -> Json {
    let choices = [
        ("work_mem", json!(random.pick(&["8MB", "1GB", "5000kB"]))),
        ("statement_timeout", json!(random.pick(&["45s", "2min", "90000"]))),
        ("jit", json!(random.chance(50))),
        ("random_page_cost", json!(random.pick(&[1.1, 2.5]))),
        ("DateStyle", json!("ISO, DMY")),
    ];
    let count = 1 + random.below(3);
    let settings: Map<String, Json> =
        random.several(&choices, count).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    json!({"kind": "setting", "name": "the database", "scope": "database", "settings": settings})
}

/// Makes a section for a table.
type Make = fn(&mut Random, &Table) -> Json;

/// What the same documents could have said before: some of their sections otherwise, some not at all.
pub fn earlier(random: &mut Random, world: &mut World, documents: &[Json]) -> Vec<Json> {
    let mut earlier = Vec::new();
    for document in documents {
        let mut document = document.clone();
        let Some(table) = world.table_of(&document).cloned() else {
            if random.chance(60) {
                earlier.push(document);
            }
            continue;
        };
        let entries = document.as_object_mut().unwrap();
        let is_hypertable = entries.contains_key("hypertable") || table.made;
        let other: [(&str, Make); 3] =
            [("columnstore", columnstore), ("retention", retention), ("storage", |random, _| storage(random))];
        for (section, make) in other {
            match random.below(3) {
                0 => _ = entries.shift_remove(section),
                1 if section == "storage" || (world.policies && is_hypertable) => {
                    let mut made = make(random, &table);
                    apart(entries.get(section), &mut made);
                    entries.insert(section.to_owned(), made);
                }
                _ => {}
            }
        }
        if let Some(indexes) = entries.get_mut("indexes").and_then(Json::as_array_mut) {
            for index in indexes {
                if random.chance(50) {
                    continue;
                }
                let mut other = self::index(random, world, &table, is_hypertable, &[]);
                other["name"] = index["name"].clone();
                other.as_object_mut().unwrap().remove("unique");
                other.as_object_mut().unwrap().remove("nulls_not_distinct");
                *index = other;
            }
        }
        // It goes by an index that may be another one then.
        entries.shift_remove("reorder");
        earlier.push(document);
    }
    earlier
}
