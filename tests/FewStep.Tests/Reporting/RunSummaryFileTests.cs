using System.Text.Json;
using System.Text.Json.Nodes;
using FewStep.Noise;
using FewStep.Reporting;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Tests.Reporting;

public sealed class RunSummaryFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fewstep-").FullName;

    private string FilePath => Path.Combine(_folder, RunSummaryFile.Name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_is_read_back()
    {
        RunSummary summary = SampleSummary.Full();
        RunSummaryFile.Write(FilePath, summary);
        RunSummary back = RunSummaryFile.Read(FilePath);
        Assert.Equal(JsonSerializer.Serialize(summary, JsonFile.Options), JsonSerializer.Serialize(back, JsonFile.Options));
        Assert.Equal(HtmlReport.Render(summary, _ => null), HtmlReport.Render(back, _ => null));
        Assert.Equal(summary.Evaluations[0].Distance!.Spread, back.Evaluations[0].Distance!.Spread);
    }

    [Fact]
    public void Numbers_that_failed_survive_the_file()
    {
        RunSummary summary = SampleSummary.Full() with
        {
            LossCurve = new() { Points = [new(1, double.NaN, double.NegativeInfinity, double.PositiveInfinity, 1)] },
            Evaluations = [SampleSummary.Full().Evaluations[0] with { Distance = new([new(0, 1, double.NaN)]), LossPower0 = new(double.NaN, double.NaN) }],
            TuningRounds = [SampleSummary.Full().TuningRounds[0] with { Points = [new(1, double.NaN, double.PositiveInfinity)], Seconds = double.NaN }],
        };
        RunSummaryFile.Write(FilePath, summary);
        RunSummary back = RunSummaryFile.Read(FilePath);
        Assert.True(double.IsNaN(back.LossCurve!.Points[0].Loss));
        Assert.True(double.IsNaN(back.Evaluations[0].Distance!.Mean));
        Assert.Equal(double.PositiveInfinity, back.TuningRounds[0].Points[0].HeldOut);
    }

    [Fact]
    public void Names_are_snake_case_and_the_derived_numbers_are_written()
    {
        RunSummaryFile.Write(FilePath, SampleSummary.Full());
        JsonNode json = JsonNode.Parse(File.ReadAllText(FilePath))!;
        Assert.Equal(1, (int)json["format_version"]!);
        Assert.Equal("baseline", (string?)json["evaluations"]![0]!["role"]);
        Assert.Equal("sigma_min", (string?)json["schedules"]![0]!["terminal"]);
        Assert.Equal(55.3, (double)json["evaluations"]![0]!["distance"]!["mean"]!, 1e-9);
        Assert.Equal("10.0.1", (string?)json["manifest"]!["versions"]![".NET"]);
    }

    [Theory]
    [InlineData("evaluations")]
    [InlineData("schedules")]
    [InlineData("warnings")]
    [InlineData("tuning_rounds")]
    public void A_null_in_a_list_is_refused(string list)
    {
        RunSummaryFile.Write(FilePath, SampleSummary.Full());
        JsonNode json = JsonNode.Parse(File.ReadAllText(FilePath))!;
        json[list]!.AsArray().Add(null);
        File.WriteAllText(FilePath, json.ToJsonString());
        Assert.Contains($"{list} holds null", Assert.Throws<InvalidInputException>(() => RunSummaryFile.Read(FilePath)).Message);
    }

    [Theory]
    [InlineData("format_version", "2", "format version 2")]
    [InlineData("title", "null", "not valid")]
    [InlineData("model", "{}", "not valid")]
    [InlineData("steps", "\"four\"", "not valid")]
    public void A_wrong_file_is_refused_in_one_line(string name, string value, string message)
    {
        RunSummaryFile.Write(FilePath, SampleSummary.Bare());
        JsonNode json = JsonNode.Parse(File.ReadAllText(FilePath))!;
        json[name] = JsonNode.Parse(value);
        File.WriteAllText(FilePath, json.ToJsonString());
        string text = Assert.Throws<InvalidInputException>(() => RunSummaryFile.Read(FilePath)).Message;
        Assert.Contains(message, text);
        Assert.DoesNotContain('\n', text);
    }

    [Fact]
    public void Mean_and_spread_are_those_of_the_ranges()
    {
        var distance = new DistanceSummary([new(0, 10, 2), new(10, 10, 4), new(20, 10, 6)]);
        Assert.Equal(4, distance.Mean);
        Assert.Equal(2, distance.Spread!.Value, 1e-12);
        Assert.Null(new DistanceSummary([new(0, 10, 2)]).Spread);
        Assert.True(double.IsNaN(new DistanceSummary([]).Mean));
    }

    [Fact]
    public void A_schedule_keeps_its_sigmas_and_terminal()
    {
        ScheduleSummary summary = ScheduleSummary.From("one step", ScheduleSource.Given, new SamplingSchedule([80, 0.002], ScheduleTerminal.Zero));
        Assert.Equal([80, 0.002], summary.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, summary.Terminal);
    }

    [Theory]
    [InlineData("../secret.png")]
    [InlineData("/etc/hostname")]
    [InlineData("samples/../../x.png")]
    [InlineData("a\0b")]
    public void A_strip_outside_the_folder_is_refused(string path) =>
        Assert.Contains("not inside the run folder", Assert.Throws<InvalidInputException>(() => StripFile.Read(_folder, path)).Message);

    [Fact]
    public void A_strip_must_be_a_png()
    {
        File.WriteAllText(Path.Combine(_folder, "text.png"), "no picture");
        File.WriteAllBytes(Path.Combine(_folder, "real.png"), SampleSummary.Png("x"));
        Assert.Null(StripFile.Read(_folder, "text.png"));
        Assert.Null(StripFile.Read(_folder, "absent/strip.png"));
        Assert.NotNull(StripFile.Read(_folder, "real.png"));
    }
}
