using CsCheck;
using FewStep.Noise;
using FewStep.Platform;

namespace FewStep.Tests.Noise;

public sealed class ScheduleFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fewstep-{Guid.NewGuid():N}{ScheduleFile.Extension}");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Everything_survives_the_file()
    {
        var record = new ScheduleRecord(new SamplingSchedule([80, Math.PI, 1.0 / 3, 0.002], ScheduleTerminal.Zero))
        {
            Times = [999, 500.25, 20, 0],
            Solver = "euler",
            Objective = "power:0",
            Loss = new ScheduleLoss(0.123456789012345678, 0.12, 0.13),
            Evaluations = 65_536,
            ModelHash = new string('a', 64),
            DataHash = new string('b', 64),
            Seed = 42,
        };
        ScheduleFile.Write(_path, record);
        var read = ScheduleFile.Read(_path);
        Assert.Equal(record.Schedule.Sigmas, read.Schedule.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, read.Schedule.Terminal);
        Assert.Equal(record.Times, read.Times);
        Assert.Equal(record with { Schedule = read.Schedule, Times = read.Times, Writer = read.Writer }, read);
        Assert.Matches(@"^\d+\.\d+\.\d+$", read.Writer);
        Assert.Contains("\"terminal\": \"zero\"", File.ReadAllText(_path), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_schedule_survives_bit_for_bit() => Gen.Double[1e-6, 2].Array[1, 20].Sample(ratios =>
    {
        var sigmas = ratios.Aggregate(new List<double> { 0.002 }, (list, r) => [.. list, list[^1] * (1 + r)]);
        sigmas.Reverse();
        ScheduleFile.Write(_path, new ScheduleRecord(new SamplingSchedule(sigmas)));
        return ScheduleFile.Read(_path).Schedule.Sigmas.SequenceEqual(sigmas);
    }, iter: 30, threads: 1);

    [Fact]
    public void A_plain_array_of_sigmas_is_a_schedule()
    {
        File.WriteAllText(_path, "[80, 1.5, 0.002]");
        var read = ScheduleFile.Read(_path);
        Assert.Equal([80, 1.5, 0.002], read.Schedule.Sigmas);
        Assert.Equal(ScheduleTerminal.SigmaMin, read.Schedule.Terminal);
        Assert.Null(read.Writer);
    }

    [Fact]
    public void A_hand_written_file_needs_version_steps_and_sigmas_only()
    {
        File.WriteAllText(_path, """{"version":1,"steps":2,"sigmas":[80,1.5,0.002],"note":"mine"}""");
        Assert.Equal(2, ScheduleFile.Read(_path).Schedule.Steps);
    }

    [Theory]
    [InlineData("""[0.002, 1, 80]""", "decrease")]
    [InlineData("""[80, 80]""", "decrease")]
    [InlineData("""[80, 0]""", "above 0")]
    [InlineData("""[80, -1]""", "above 0")]
    [InlineData("""[1e999, 1]""", "finite")]
    [InlineData("""[80, NaN]""", "not valid")]
    [InlineData("""[80, "NaN"]""", "not valid")]
    [InlineData("""[80, null]""", "not valid")]
    [InlineData("""[80]""", "at least 2")]
    [InlineData("""[]""", "at least 2")]
    [InlineData("""null""", "holds")]
    [InlineData("""7""", "array of sigmas")]
    [InlineData("""{"steps":1,"sigmas":[80,1]}""", "version")]
    [InlineData("""{"version":"1","steps":1,"sigmas":[80,1]}""", "version")]
    [InlineData("""{"version":2,"levels":[80,1]}""", "version 2 is unknown")]
    [InlineData("""{"version":1,"sigmas":[80,1]}""", "steps")]
    [InlineData("""{"version":1,"steps":3,"sigmas":[80,1]}""", "steps is 3, but 2 sigmas make 1")]
    [InlineData("""{"version":1,"steps":1,"sigmas":null}""", "not valid")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"terminal":"nirvana"}""", "terminal")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"terminal":1}""", "terminal")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"times":[1]}""", "1 times for 2 sigmas")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"times":[1,1e999]}""", "time[1]")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"loss":1}""", "together")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"loss":1,"loss_low":2,"loss_high":3}""", "loss_low <= loss")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"evaluations":-1}""", "evaluations")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1],"solver":"a\nb"}""", "solver")]
    [InlineData("""{"version":1,"steps":1,"sigmas":[80,1""", "not valid")]
    public void Hostile_files_get_one_line_that_names_file_and_rule(string json, string rule)
    {
        File.WriteAllText(_path, json);
        AssertRefused(rule);
    }

    [Fact]
    public void Huge_long_deep_and_missing_files_are_refused()
    {
        AssertRefused("Cannot read");
        File.WriteAllText(_path, new string('[', 100_000));
        AssertRefused("not valid");
        File.WriteAllText(_path, $"[{string.Join(',', Enumerable.Range(1, 200_000).Reverse())}]");
        AssertRefused("more than any schedule");
        File.WriteAllText(_path, $"{{\"version\":1,\"steps\":1,\"sigmas\":[80,1],\"objective\":\"{new string('x', 201)}\"}}");
        AssertRefused("objective");
        using (var stream = File.Create(_path))
        {
            stream.SetLength(9 << 20);
        }

        AssertRefused("at most");
    }

    [Fact]
    public void A_record_that_could_not_be_read_back_is_not_written()
    {
        var schedule = new SamplingSchedule([80, 1]);
        Assert.Throws<ArgumentException>(() => ScheduleFile.Write(_path, new ScheduleRecord(schedule) { Times = [1] }));
        Assert.Throws<ArgumentException>(() => ScheduleFile.Write(_path, new ScheduleRecord(schedule) { Loss = new ScheduleLoss(double.NaN, 0, 1) }));
        Assert.False(File.Exists(_path));
    }

    private void AssertRefused(string rule)
    {
        var e = Assert.Throws<InvalidInputException>(() => ScheduleFile.Read(_path));
        Assert.Contains(_path, e.Message, StringComparison.Ordinal);
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
