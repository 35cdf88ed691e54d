//! The region, and where STS and OSS are.

use super::{PROFILES, check, plan};

const MORE: &str = r#"
    [profile.r]
    region = "cn-beijing"
    source_profile = "s"
    [profile.s]
    region = "cn-shanghai"
    source_profile = "base"
    [profile.t]
    source_profile = "s"
    oss_endpoint = "http://localhost:1"
"#;

#[test]
fn the_region_and_sts_endpoint() {
    let table = "
                                               | --profile=base       | - https://sts.aliyuncs.com
                                               | --profile=r          | cn-beijing https://sts.cn-beijing.aliyuncs.com
                                               | --profile=t          | cn-shanghai https://sts.cn-shanghai.aliyuncs.com
        ALIBABA_CLOUD_REGION_ID=cn-hangzhou    | --profile=r          | cn-hangzhou https://sts.cn-hangzhou.aliyuncs.com
        ALIBABA_CLOUD_REGION_ID=cn-hangzhou    | --profile=r --region=eu-west-1 | eu-west-1 https://sts.eu-west-1.aliyuncs.com
                                               | --profile=r --vpc    | cn-beijing https://sts-vpc.cn-beijing.aliyuncs.com
        ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true | --profile=r         | cn-beijing https://sts-vpc.cn-beijing.aliyuncs.com
        ALIBABA_CLOUD_STS_REGION=cn-shenzhen   | --profile=r          | cn-beijing https://sts.cn-shenzhen.aliyuncs.com
        ALIBABA_CLOUD_STS_ENDPOINT=sts.x       | --profile=r          | cn-beijing https://sts.x
        ALIBABA_CLOUD_STS_ENDPOINT=sts.x STSCTL_STS_ENDPOINT=sts.y | --profile=r | cn-beijing https://sts.y
        STSCTL_STS_ENDPOINT=sts.y              | --profile=r --sts-endpoint=sts.z | cn-beijing https://sts.z
        STSCTL_STS_ENDPOINT=http://127.0.0.1:9 | --profile=base       | - http://127.0.0.1:9
        STSCTL_STS_ENDPOINT=http://h           | --profile=base --insecure-http | - http://h
    ";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let plan = plan(&format!("{PROFILES}{MORE}"), columns[0], columns[1]).unwrap();
        let region = plan.region.as_ref().map_or("-", |r| r.as_str());
        assert_eq!(
            format!("{region} {}", plan.sts_endpoint),
            columns[2],
            "{line}"
        );
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    }
}

#[test]
fn places_that_cannot_be_used() {
    check(
        &format!("{PROFILES}{MORE}"),
        "
        STSCTL_STS_ENDPOINT=http://h        | --profile=base | 2: `http://h` would carry credentials over plain HTTP
        ALIBABA_CLOUD_STS_ENDPOINT=ftp://h  | --profile=base | 2: the value of ALIBABA_CLOUD_STS_ENDPOINT cannot be used: `ftp://h` is not a valid Endpoint: the scheme must be https or http
        ALIBABA_CLOUD_REGION_ID=Hangzhou    | --profile=base | 2: ALIBABA_CLOUD_REGION_ID cannot be used: `Hangzhou` is not a valid RegionId: expected a form like cn-hangzhou
        ",
    );
}

#[test]
fn the_nearest_profile_tells_where_oss_is() {
    let plan = plan(&format!("{PROFILES}{MORE}"), "", "--profile=t").unwrap();
    assert_eq!(plan.oss_endpoint.unwrap().to_string(), "http://localhost:1");
    assert_eq!(plan.profile_name.as_deref(), Some("t"));
}

#[test]
fn a_region_in_oss_dress_is_undressed_with_a_warning() {
    let toml = r#"
        default_profile = "p"
        [profile.p]
        access_key_id = "LTAIp"
        access_key_secret = "s"
        region = "oss-cn-beijing"
    "#;
    for (variables, flags, place, region) in [
        ("", "", "`region` of profile `p`", "cn-beijing"),
        (
            "ALIBABA_CLOUD_REGION_ID=oss-cn-x",
            "",
            "ALIBABA_CLOUD_REGION_ID",
            "cn-x",
        ),
        ("", "--region=oss-cn-y", "--region", "cn-y"),
    ] {
        let plan = plan(toml, variables, flags).unwrap();
        assert_eq!(
            plan.warnings[0].to_string(),
            format!("{place}: the region is `{region}`, without `oss-`")
        );
    }
}
