//! Tests of continuous aggregates.

use serde_json::json;

use super::desired::bucket_width;
use super::*;
use crate::core::Cell;
use crate::kinds::fixture::{self, World, codes, desired, expand, row, text};
use crate::kinds::{Relation, Stored};

const QUERY: &str = "SELECT public.time_bucket('1 hour', time) AS bucket, avg(price) FROM public.trades GROUP BY 1";

fn sql(text: &str) -> SqlText {
    SqlText::new(text).unwrap()
}

fn aggregate() -> Relation {
    Relation { stored: Stored::In(QualifiedName::new("_timescaledb_internal", "_mat_5")), ..fixture::daily() }
}

fn live_row(is_being_filled: bool) -> Row {
    row(&[
        ("schema", text("public")),
        ("name", text("trades")),
        ("query", text(" SELECT time_bucket('01:00:00'::interval, x) AS b\n   FROM public.raw\n  GROUP BY 1;")),
        ("materialized_only", Cell::Bool(true)),
        ("finalized", Cell::Bool(true)),
        ("source_schema", text("public")),
        ("source_name", text("raw")),
        ("source_interval", Cell::Int(3_600_000_000)),
        ("never_filled", Cell::Bool(true)),
        ("never_refreshed", Cell::Bool(false)),
        ("is_being_filled", Cell::Bool(is_being_filled)),
    ])
}

#[test]
fn the_width_of_a_bucket_is_read_where_it_is_a_constant() {
    let width = |text: &str| bucket_width(&sql(text)).map(|width| width.to_string());
    assert_eq!(width(QUERY).as_deref(), Some("1 hour"));
    assert_eq!(width("SELECT TIME_BUCKET ( INTERVAL '2 days' , t)").as_deref(), Some("2 days"));
    assert_eq!(width("SELECT time_bucket(bucket_width => interval '5 minutes', t)").as_deref(), Some("5 minutes"));
    assert_eq!(width("SELECT time_bucket(10, t)").as_deref(), Some("10"));
    assert_eq!(width("SELECT time_bucket(w, t)"), None);
}

#[test]
fn what_no_aggregate_is_made_from_is_refused_offline() {
    let found = |query: &str| codes(&expand(&ContinuousAggregate, &json!({"query": query})).1);
    assert_eq!(found(QUERY), Vec::<&str>::new());
    assert_eq!(found(&format!("{QUERY};\n")), Vec::<&str>::new());
    assert_eq!(found("SELECT 1"), ["bad-aggregate-query"]);
    assert_eq!(found(&QUERY.replace("public.trades", "trades")), ["bad-aggregate-query"]);
    assert_eq!(found("SELECT a FROM public.t GROUP BY 1"), ["bad-aggregate-query"]);
    assert_eq!(found(&format!("{QUERY}; DROP TABLE x")), ["bad-expression"]);
    assert_eq!(found(&format!("{QUERY} -- all of it")), ["bad-expression"]);
}

#[test]
fn only_texts_that_differ_are_asked_for() {
    let wanted = desired(&ContinuousAggregate, &json!({"query": QUERY}));
    let mut live = Live::new(wanted.address.clone(), wanted.on.clone());
    assert_eq!(ContinuousAggregate.queries(&wanted, None, None), Vec::new(), "asked for where it is made");
    live.set("query", Value::Sql(sql(QUERY)));
    assert_eq!(ContinuousAggregate.queries(&wanted, Some(&live), None), Vec::new());
    live.set("query", Value::Sql(sql("SELECT 2")));
    assert_eq!(ContinuousAggregate.queries(&wanted, Some(&live), None), [sql("SELECT 2"), sql(QUERY)]);
    let mut applied = Applied {
        address: wanted.address.clone(),
        on: wanted.on.clone(),
        attributes: crate::core::Named::from_iter([("query".to_owned(), json!("SELECT 3"))]),
        adopted: false,
        source: None,
        at: None,
        begun: None,
    };
    assert_eq!(ContinuousAggregate.queries(&wanted, Some(&live), Some(&applied)).len(), 3);
    applied.attributes.insert("query".to_owned(), json!(QUERY));
    assert_eq!(ContinuousAggregate.queries(&wanted, Some(&live), Some(&applied)).len(), 2);
}

#[test]
fn the_same_meaning_takes_over_the_servers_spelling() {
    let mut world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(false)]);
    let section = json!({"query": QUERY, "create_group_indexes": false, "with_data": false});
    let theirs = query(world.live.values().next().unwrap().get("query")).cloned().unwrap();
    assert!(theirs.as_str().starts_with("SELECT") && theirs.as_str().ends_with("GROUP BY 1"));
    let on = fixture::on();
    world.canon.insert((on.clone(), sql(QUERY)), Ok("one".into()));
    world.canon.insert((on.clone(), theirs.clone()), Ok("one".into()));
    let settled = world.settle(&ContinuousAggregate, &section).unwrap();
    assert_eq!(query(settled.get("query")), Some(&theirs));
    assert_eq!(settled.get("create_group_indexes"), None);
    assert_eq!(settled.get("with_data"), None);
    assert!(ContinuousAggregate.means_same(
        &desired(&ContinuousAggregate, &section),
        "query",
        &json!(theirs.as_str()),
        &world.canon
    ));
    world.canon.insert((on.clone(), theirs.clone()), Ok("other".into()));
    let settled = world.settle(&ContinuousAggregate, &section).unwrap();
    assert_eq!(query(settled.get("query")), Some(&sql(QUERY)), "it is to be made anew");
    assert_eq!(settled.get("create_group_indexes"), Some(&Value::Bool(false)));
    world.canon.insert((on, sql(QUERY)), Err("function time_bucket(unknown) does not exist".into()));
    assert_eq!(world.settle(&ContinuousAggregate, &section), Err(vec!["bad-aggregate-query"]));
}

#[test]
fn the_form_of_before_2_7_is_left_alone() {
    let old = live_row(false);
    let mut world = World::new("2.14.2", aggregate()).with(&ContinuousAggregate, &[old]);
    let address = world.live.keys().next().unwrap().clone();
    world.live.get_mut(&address).unwrap().set_fact("finalized", false);
    assert_eq!(world.settle(&ContinuousAggregate, &json!({"materialized_only": true})), Err(vec!["legacy-aggregate"]));
}

#[test]
fn what_is_lost_is_read_from_the_servers_answer() {
    let world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(false)]);
    let removal = world.removal(&ContinuousAggregate);
    let wanted = desired(&ContinuousAggregate, &json!({"query": QUERY}));
    let change = crate::core::Change { attribute: "query".into(), before: None, after: None };
    let delta = Delta { desired: Some(wanted), changes: vec![change], ..removal.clone() };
    let xml = "<row><since>2020-01-03T00:00:00+00:00</since><oldest>2020-01-01T00:00:00+00:00</oldest>\
               <newest>2020-01-05T23:00:00+00:00</newest><buckets>48</buckets><rows>96</rows>\
               <first>2020-01-01T00:00:00+00:00</first><last>2020-01-02T23:00:00+00:00</last></row>";
    let weights = |chunks: i64| {
        let usual = |finding: &str| vec![("finding", text(finding)), ("oid", Cell::Int(7))];
        let mut holds = usual("holds");
        holds.extend([("chunks", Cell::Int(chunks)), ("bytes", Cell::Int(9)), ("chunk_ids", Cell::Null)]);
        let mut lost = usual("lost");
        lost.extend([("xml", text(xml)), ("schema", text("public")), ("name", text("raw"))]);
        vec![row(&holds), row(&lost)]
    };
    let judged =
        |delta: &Delta, op, weights: &[Row]| ContinuousAggregate.judge(delta, op, weights, &world.view()).unwrap();
    let replaced = judged(&delta, Op::Replace, &weights(2));
    assert_eq!(replaced.hazards, [crate::core::Hazard::DeletesData]);
    let impact = replaced.impact.unwrap();
    assert_eq!(impact.oldest.as_deref(), Some("2020-01-01 00:00:00+00"));
    assert_eq!(
        impact.notes,
        ["48 buckets (96 rows) from 2020-01-01 00:00:00+00 to 2020-01-02 23:00:00+00 cannot be filled again and are \
          lost: public.raw now begins at 2020-01-03 00:00:00+00"]
    );
    let holes = |more: &str| {
        let usual = "<row><since>3</since><buckets>2</buckets><rows>2</rows><first>5</first><last>6</last>";
        let mut lost = vec![("finding", text("lost")), ("oid", Cell::Int(7)), ("schema", text("public"))];
        lost.extend([("name", text("raw")), ("xml", text(&format!("{usual}{more}</row>")))]);
        judged(&delta, Op::Replace, &[row(&lost)]).impact.unwrap().notes.remove(0)
    };
    let ends = |more: &str, wanted: &str| assert!(holes(more).ends_with(wanted), "{}", holes(more));
    let one = "<holes>1</holes><holes_from>5</holes_from>";
    ends(&format!("<beginning>false</beginning>{one}"), "are lost: public.raw now has no chunk from 5 on");
    ends(
        &format!("<beginning>true</beginning>{one}<holes_until>7</holes_until>"),
        "are lost: public.raw now begins at 3 and has no chunk from 5 to 7",
    );
    ends(
        "<beginning>false</beginning><holes>2</holes><holes_from>5</holes_from><holes_until>9</holes_until>",
        "are lost: public.raw now lacks chunks in 2 ranges from 5 to 9",
    );
    assert!(judged(&removal, Op::Remove, &weights(0)).hazards.is_empty(), "nothing is in it");
    assert_eq!(judged(&removal, Op::Remove, &[]).hazards.len(), 1, "what is unknown may be anything");
}

#[test]
fn what_is_granted_by_hand_comes_back_unless_a_policy_speaks_of_the_role() {
    let granted = |role: &str, privilege: &str, column: Option<&str>, option: i64| {
        row(&[
            ("finding", text("granted")),
            ("oid", Cell::Int(7)),
            ("words", text(privilege)),
            ("schema", column.map_or(Cell::Null, text)),
            ("name", text(role)),
            ("chunks", Cell::Int(option)),
        ])
    };
    let weights = [
        granted("Analyst", "select", None, 1),
        granted("Analyst", "update", Some("price"), 0),
        granted("public", "select", None, 0),
        granted("described", "select", None, 0),
        granted("described", "delete", None, 0),
    ];
    let mut world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(false)]);
    let grants = Address {
        kind: KindId::new("grant"),
        schema: Some("described".to_owned()),
        name: "table public.trades".to_owned(),
    };
    let mut wanted = Desired::new(grants.clone(), None, fixture::place());
    wanted.set("select", Value::text("granted"));
    world.desired.insert(grants, wanted);
    // The query that there will be gives another column in the place of this one.
    let mut without = aggregate();
    without.columns.retain(|column| column.name != "price");
    let comes = |world: &mut World, relation: &Relation| {
        let own = world.relations.get_mut(&fixture::on()).unwrap();
        own.coming = Some(Ok(Box::new(relation.clone())));
    };
    comes(&mut world, &without);
    let removal = world.removal(&ContinuousAggregate);
    let query = desired(&ContinuousAggregate, &json!({"query": QUERY}));
    let change = crate::core::Change { attribute: "query".into(), before: None, after: None };
    let delta = Delta { desired: Some(query), changes: vec![change], ..removal.clone() };
    let again = ContinuousAggregate.repeated(rules::GRANT_AGAIN, &delta, &weights, &world.view()).unwrap().unwrap();
    let said: Vec<Json> = again.iter().map(Value::to_json).collect();
    let select = json!({"privilege": "select", "column": null});
    let one = |role: &str, option: bool, everybody: bool, privileges: Json| json!({"table": "public.trades", "grantee": role, "option": option, "everybody": everybody, "privileges": privileges});
    let public = one("public", false, true, json!([select]));
    assert_eq!(said, [one("Analyst", true, false, json!([select])), public.clone()], "the column goes");
    comes(&mut world, &aggregate());
    let again = ContinuousAggregate.repeated(rules::GRANT_AGAIN, &delta, &weights, &world.view()).unwrap().unwrap();
    let said: Vec<Json> = again.iter().map(Value::to_json).collect();
    let update = one("Analyst", false, false, json!([{"privilege": "update", "column": "price"}]));
    assert_eq!(said, [update, one("Analyst", true, false, json!([select])), public]);
    comes(&mut world, &without);
    let notes = |delta: &Delta, op: Op| {
        ContinuousAggregate.judge(delta, op, &weights, &world.view()).unwrap().impact.unwrap().notes
    };
    assert_eq!(
        notes(&delta, Op::Replace),
        [
            "granted again, as somebody granted it: select to Analyst, select to public",
            "with it goes what is granted on it: update (price) to Analyst, delete to described, and no policy grants \
             that again",
        ]
    );
    assert_eq!(notes(&removal, Op::Remove).len(), 1, "all of it goes");
}

#[test]
fn it_comes_after_what_it_reads_and_goes_after_what_reads_it() {
    let world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(false)]);
    let wanted = desired(&ContinuousAggregate, &json!({"query": QUERY.replace("trades", "raw")}));
    let create = Delta { desired: Some(wanted), live: None, ..world.removal(&ContinuousAggregate) };
    let raw = QualifiedName::new("public", "raw");
    let after = ContinuousAggregate.requires(&create, &world.view());
    assert!(after.contains(&After::Resource(Address::in_schema(KindId::new("hypertable"), &raw))));
    assert!(after.contains(&After::Resource(Address::in_schema(ID, &raw))));
}

#[test]
fn what_is_filled_is_never_filled_once_more() {
    let mut world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(false)]);
    let wanted = desired(&ContinuousAggregate, &json!({"with_data": true}));
    let change = crate::core::Change { attribute: "with_data".into(), before: None, after: None };
    let delta = Delta { desired: Some(wanted), changes: vec![change], ..world.removal(&ContinuousAggregate) };
    let kept = |xml: Cell| [row(&[("finding", text("kept")), ("oid", Cell::Int(7)), ("xml", xml)])];
    let some =
        kept(text("<row><first>2020-01-02 00:00:00+00</first><after>2020-01-04 23:00:00.000001+00</after></row>"));
    let ranges = |weights: &[Row], world: &World| {
        let items = ContinuousAggregate.repeated(rules::FILL_A_REST, &delta, weights, &world.view()).unwrap().unwrap();
        items.iter().map(Value::to_json).collect::<Vec<_>>()
    };
    let before = json!({"from": null, "until": "2020-01-02 00:00:00+00"});
    let after = json!({"from": "2020-01-04 23:00:00.000001+00", "until": null});
    assert_eq!(ranges(&some, &world), [before.clone(), after]);
    let all = json!({"from": null, "until": null});
    assert_eq!(ranges(&kept(text("<row></row>")), &world), [all], "it keeps nothing");
    let unreadable = kept(Cell::Null);
    assert_eq!(ranges(&unreadable, &world), Vec::<Json>::new());
    let judged = ContinuousAggregate.judge(&delta, Op::Update, &unreadable, &world.view()).unwrap();
    assert_eq!(codes(&judged.diagnostics), ["no-privilege"]);
    let refresh = Address::in_schema(KindId::new("refresh"), &fixture::on());
    world.live.insert(refresh.clone(), Live::new(refresh, Some(fixture::on())));
    assert_eq!(ranges(&some, &world), [before], "what is after is for the refresh policy");
}

#[test]
fn a_fill_that_was_begun_is_gone_on_with_around_what_is_kept_of_chunks_that_are_gone() {
    let world = World::new("2.23.0", aggregate()).with(&ContinuousAggregate, &[live_row(true)]);
    let settled = |section: Json| world.settle(&ContinuousAggregate, &section).unwrap();
    assert_eq!(settled(json!({})).get(fill::ATTRIBUTE), Some(&Value::Null));
    assert_eq!(settled(json!({"with_data": true})).get(fill::ATTRIBUTE), Some(&Value::Null));
    assert_eq!(settled(json!({"with_data": false})).get(fill::ATTRIBUTE), None, "nobody wants it to be filled");
    let change = |attribute: &str| crate::core::Change { attribute: attribute.to_owned(), before: None, after: None };
    let delta = Delta {
        desired: Some(settled(json!({"with_data": true}))),
        changes: vec![change(fill::ATTRIBUTE), change("with_data")],
        ..world.removal(&ContinuousAggregate)
    };
    let weights = |xml: &str| [row(&[("finding", text("unfinished")), ("oid", Cell::Int(7)), ("xml", text(xml))])];
    let items = |template: &str, weights: &[Row]| {
        let items = ContinuousAggregate.repeated(template, &delta, weights, &world.view()).unwrap().unwrap();
        items.iter().map(Value::to_json).collect::<Vec<_>>()
    };
    let range = |from: Option<&str>, until: Option<&str>| json!({"from": from, "until": until});
    let ranges = |xml: &str| {
        items(rules::FILL_UNFINISHED, &weights(&xml.replace("<row>", "<row xmlns:xsi=\"http://w3.org/\">\n")))
    };
    assert_eq!(ranges(""), [range(None, None)]);
    assert_eq!(ranges("<row><ends>3</ends></row>"), [range(Some("3"), None)]);
    assert_eq!(
        ranges("<row><ends>3</ends></row>\n<row><begins>5</begins><ends>6</ends></row>\n<row><begins>8</begins></row>"),
        [range(Some("3"), Some("5")), range(Some("6"), Some("8"))]
    );
    assert_eq!(ranges("<row></row>"), Vec::<Json>::new(), "all that it keeps is of chunks that are gone");
    assert_eq!(items(rules::FILL_A_REST, &weights("")), Vec::<Json>::new(), "not twice");
    assert_eq!(items(rules::END_FILL, &weights("")).len(), 1);
    let judged = ContinuousAggregate.judge(&delta, Op::Update, &[], &world.view()).unwrap();
    assert_eq!(codes(&judged.diagnostics), ["no-privilege"], "what it keeps cannot be told");
}
