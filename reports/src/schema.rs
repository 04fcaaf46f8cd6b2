//! The JSON Schema of `result.json`, for those who read it.

/// The schema, JSON Schema 2020-12. It describes every field with its unit; documents may hold more.
pub const RESULT_SCHEMA: &str = include_str!("../schema/result.schema.json");

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::RESULT_SCHEMA;
    use crate::result::{RunResult, SCHEMA_VERSION, eventful, fold, samples};

    fn schema() -> Value {
        serde_json::from_str(RESULT_SCHEMA).unwrap()
    }

    fn finished() -> Value {
        serde_json::to_value(fold(&samples::finished_run())).unwrap()
    }

    #[rstest]
    #[case::finished(fold(&samples::finished_run()))]
    #[case::everything(eventful::run())]
    #[case::not_set_up(eventful::set_up_failed())]
    #[case::aborted(eventful::aborted())]
    #[case::interrupted(fold(&samples::interrupted_run()))]
    #[case::empty(fold(&[]))]
    fn results_keep_to_the_schema(#[case] result: RunResult) {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&serde_json::to_value(&result).unwrap())
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn the_schema_is_one_itself_and_knows_the_version() {
        assert!(jsonschema::meta::is_valid(&schema()));
        assert_eq!(schema()["properties"]["schemaVersion"]["const"], SCHEMA_VERSION);
    }

    #[rstest]
    #[case::newer("/schemaVersion", json!(2))]
    #[case::verdict("/run/verdict", json!("green"))]
    #[case::case_verdict("/cases/0/verdict", json!("flaky"))]
    #[case::negative("/run/durationMs", json!(-1))]
    #[case::count_as_text("/totals/pass", json!("1"))]
    #[case::level("/cases/1/level", json!("optional"))]
    #[case::reason("/cases/1/reason", json!(["no text"]))]
    #[case::answers("/cases/1/failure/answers/0", json!({ "text": "200" }))]
    #[case::confidence("/cases/1/causes/0/confidence", json!("certain"))]
    #[case::phase("/run/timeline/0/phase", json!("lunch"))]
    fn a_wrong_document_is_refused(#[case] pointer: &str, #[case] value: Value) {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let mut document = finished();
        assert!(validator.is_valid(&document));
        *document.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&document), "{pointer}");
    }

    #[rstest]
    #[case::run("/run", "verdict")]
    #[case::totals("/totals", "notRun")]
    #[case::case("/cases/0", "promise")]
    #[case::steps("/cases/0/steps", "runUs")]
    fn a_missing_field_is_refused(#[case] pointer: &str, #[case] key: &str) {
        let mut document = finished();
        document.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        assert!(!jsonschema::draft202012::new(&schema()).unwrap().is_valid(&document));
    }

    #[test]
    fn fields_of_later_versions_are_no_trouble() {
        let mut document = finished();
        document["cases"][0]["colour"] = json!("blue");
        assert!(jsonschema::draft202012::new(&schema()).unwrap().is_valid(&document));
    }

    /// A field that is written has to be described, and to be required unless it is sometimes absent.
    #[test]
    fn every_field_is_described() {
        let mut result = eventful::run();
        result.run.reason = Some("interrupted".into());
        let document = serde_json::to_value(&result).unwrap();
        let mut gaps = Vec::new();
        walk(&schema(), &schema(), &document, "", &mut gaps);
        assert_eq!(gaps, ["/run/reason is not required"]);
        let mut unseen = document.clone();
        unseen["cases"][1]["failure"]["colour"] = json!("blue");
        walk(&schema(), &schema(), &unseen, "", &mut gaps);
        assert!(gaps.contains(&"/cases/1/failure/colour is not described".to_owned()), "{gaps:?}");
    }

    fn walk(root: &Value, schema: &Value, value: &Value, path: &str, gaps: &mut Vec<String>) {
        let schema = resolve(root, schema, value);
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    let path = format!("{path}/{key}");
                    let Some(described) = schema["properties"].get(key) else {
                        gaps.push(format!("{path} is not described"));
                        continue;
                    };
                    let words = described["description"].as_str().unwrap_or_default();
                    if words.is_empty() || !words.ends_with('.') {
                        gaps.push(format!("{path} has no description"));
                    }
                    if !schema["required"].as_array().unwrap().contains(&json!(key)) {
                        gaps.push(format!("{path} is not required"));
                    }
                    for (ending, unit) in [("Ms", "illisecond"), ("Us", "icrosecond"), ("Mib", "MiB")] {
                        if key.ends_with(ending) && !words.contains(unit) {
                            gaps.push(format!("{path} has no unit"));
                        }
                    }
                    walk(root, described, field, &path, gaps);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(root, &schema["items"], item, &format!("{path}/{index}"), gaps);
                }
            }
            _ => {}
        }
    }

    fn resolve<'a>(root: &'a Value, schema: &'a Value, value: &Value) -> &'a Value {
        let schema = match schema.get("anyOf") {
            Some(choices) if !value.is_null() => &choices[0],
            _ => schema,
        };
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }
}
