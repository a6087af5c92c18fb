using CsCheck;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Sampling;

public sealed class SamplerFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fewstep-{Guid.NewGuid():N}{SamplerFile.Extension}");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Everything_survives_the_file()
    {
        var sampler = new Sampler(
            new SamplingSchedule([80, Math.PI, 1.0 / 3, 0.002], ScheduleTerminal.Zero), SolverCatalog.Find("unipc:3:variant=bh1"))
        {
            Origin = new SamplerOrigin
            {
                Schedule = "gits:1.2",
                Source = ScheduleSource.OtherSearch,
                Objective = "power:0",
                Loss = new ScheduleLoss(0.123456789012345678, 0.12, 0.13),
                Evaluations = 65_536,
                ModelHash = new string('a', 64),
                DataHash = new string('b', 64),
                Seed = 42,
            },
        };
        sampler.Save(_path);
        Assert.Equal(sampler, Sampler.Read(_path));
        Assert.Contains("\"version\": 2", File.ReadAllText(_path), StringComparison.Ordinal);
        Assert.Contains("\"terminal\": \"zero\"", File.ReadAllText(_path), StringComparison.Ordinal);
        Assert.Matches("\"fewstep\": \"\\d+\\.\\d+\\.\\d+\"", File.ReadAllText(_path));
    }

    [Fact]
    public void A_fitted_solver_survives_the_file_with_what_it_was_fitted_on()
    {
        var schedule = new SamplingSchedule([80, Math.PI, 1.0 / 3, 0.002]);
        StepCorrection[] corrections =
        [
            new() { Slope = 1.0 / 7 },
            new() { Differences = [-0.1], Slope = -0.01, NoiseLevel = 3.3 },
            new() { Differences = [0.2, 1.0 / 3], Scale = 1e-9 },
        ];
        var sampler = new Sampler(schedule, new FittedSolver(SolverCatalog.Find("ipndm:2"), schedule, corrections))
        {
            Origin = new SamplerOrigin
            {
                Schedule = "phase1",
                ModelHash = new string('a', 64),
                Fit = new FitOrigin
                {
                    Latents = 256,
                    HeldOutLatents = 64,
                    Teacher = "heun, 48 steps",
                    Guidance = "weight 1.5",
                    Label = 3,
                    Fitted = 0.01,
                    HeldOut = new ScheduleLoss(0.02, 0.01, 0.03),
                    Base = new ScheduleLoss(0.2, 0.1, 0.3),
                    Stop = "closed form",
                },
            },
        };
        sampler.Save(_path);
        Assert.Contains("\"version\": 3", File.ReadAllText(_path), StringComparison.Ordinal);
        var read = Sampler.Read(_path);
        Assert.Equal(sampler, read);
        Assert.Equal(sampler.Solver.Name, read.Solver.Name);
        Assert.Equal(3.3, read.Solver.NoiseLevel(schedule, 1));
    }

    [Fact]
    public void A_matched_solver_survives_the_file_with_what_it_was_matched_to()
    {
        var schedule = new SamplingSchedule([80, 0.002]);
        var sampler = new Sampler(schedule, new FittedSolver(new EulerSolver(), schedule, [new StepCorrection { Slope = 0.5 }]))
        {
            Origin = new SamplerOrigin
            {
                Schedule = "karras",
                ModelHash = new string('a', 64),
                Match = new MatchOrigin
                {
                    Images = 10_000,
                    Features = "classifier features",
                    Judges = $"{new string('b', 64)} {new string('c', 64)}",
                    Latents = 768,
                    HeldOutLatents = 512,
                    Label = 3,
                    Before = 2,
                    After = 1,
                    Iterations = 4,
                },
            },
        };
        sampler.Save(_path);
        Assert.Equal(sampler.Origin.Match, Sampler.Read(_path).Origin.Match);
        string text = File.ReadAllText(_path), fit = JsonFile.Text(HandMadeFit.Origin);
        File.WriteAllText(_path, text.Replace("\"match\":", $"\"fit\": {fit}, \"match\":", StringComparison.Ordinal));
        Assert.Contains("belong to a solver fitted-", Assert.Throws<InvalidInputException>(() => Sampler.Read(_path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"slope\": 0.5", "\"slope\": 1e9", "weights must lie")]
    [InlineData("\"base\": \"euler\"", "\"base\": \"magic\"", "no solver 'magic'")]
    [InlineData("\"version\": 3", "\"version\": 2", "belong to a solver fitted-")]
    [InlineData("\"solver\": \"fitted-", "\"solver\": \"euler-", "belong to a solver fitted-")]
    [InlineData("\"fit\": {", "\"fat\": {", "fat")]
    [InlineData("\"slope\": 0.5", "\"slope\": 0.25", "do not belong together")]
    [InlineData("\"slope\"", "\"slpoe\"", "slpoe")]
    [InlineData("\"model_hash\": \"abc\",", "", "does not say the model")]
    [InlineData("\"differences\": []", "\"differences\": [1]", "only 0 steps lie before it")]
    [InlineData("\"noise_level\": 70", "\"noise_level\": 1e300", "noise level 1E+300")]
    [InlineData(
        "{\n        \"differences\": [],\n        \"slope\": 0.5,\n        \"scale\": 0,\n        \"noise_level\": 70\n      }", "null",
        "no corrections")]
    public void Weights_that_break_a_rule_are_refused(string part, string with, string fragment)
    {
        var schedule = new SamplingSchedule([80, 0.002]);
        new Sampler(schedule, new FittedSolver(new EulerSolver(), schedule, [new StepCorrection { Slope = 0.5, NoiseLevel = 70 }]))
        { Origin = new SamplerOrigin { ModelHash = "abc", Fit = HandMadeFit.Origin } }.Save(_path);
        string text = File.ReadAllText(_path);
        Assert.Contains(part, text, StringComparison.Ordinal);
        File.WriteAllText(_path, text.Replace(part, with, StringComparison.Ordinal));
        Assert.Contains(fragment, Assert.Throws<InvalidInputException>(() => Sampler.Read(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_schedule_survives_bit_for_bit() => Gen.Double[1e-6, 2].Array[1, 20].Sample(ratios =>
    {
        var sigmas = ratios.Aggregate(new List<double> { 0.002 }, (list, r) => [.. list, list[^1] * (1 + r)]);
        sigmas.Reverse();
        new Sampler(new SamplingSchedule(sigmas), SolverCatalog.Find("euler")).Save(_path);
        return Sampler.Read(_path).Schedule.Sigmas.SequenceEqual(sigmas);
    }, iter: 30, threads: 1);

    [Theory]
    [InlineData("[80, 1.5, 0.002]")]
    [InlineData("""{"sigmas":[80, 1.5, 0.002]}""")]
    [InlineData("""{"version":1,"steps":2,"sigmas":[80,1.5,0.002],"times":[999,500.25,0],"note":"mine"}""")]
    public void Lists_and_schedule_files_of_no_solver_need_one(string json)
    {
        File.WriteAllText(_path, json);
        Assert.Contains(
            "names no solver", Assert.Throws<InvalidInputException>(() => Sampler.Read(_path)).Message, StringComparison.Ordinal);
        var sampler = Sampler.Read(_path, "ipndm:3");
        Assert.Equal([80, 1.5, 0.002], sampler.Schedule.Sigmas);
        Assert.Equal((ScheduleTerminal.SigmaMin, "ipndm:3", 2), (sampler.Schedule.Terminal, sampler.Solver.Name, sampler.Steps));
        Assert.Equal($"{SamplerFile.NameOf(_path)}/ipndm:3/2", sampler.ToString());
    }

    [Fact]
    public void The_solver_of_a_schedule_file_wins_over_the_usual_one()
    {
        File.WriteAllText(
            _path, """{"version":1,"steps":1,"sigmas":[80,0.002],"solver":"heun","objective":"discretization loss","model_hash":"abc"}""");
        var sampler = Sampler.Read(_path, "euler");
        Assert.Equal(("heun", "discretization loss", "abc"), (sampler.Solver.Name, sampler.Origin.Objective, sampler.Origin.ModelHash));
    }

    [Theory]
    [InlineData("a.sampler.json", "a")]
    [InlineData("folder/b.schedule.json", "b")]
    [InlineData("c.json", "c")]
    public void Files_have_names_for_people(string path, string name) => Assert.Equal(name, SamplerFile.NameOf(path));

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
    [InlineData("""{"version":4,"levels":[80,1]}""", "version 4 is unknown")]
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
    [InlineData("""{"version":2,"steps":1,"sigmas":[80,1],"solver":"magic"}""", "There is no solver 'magic'")]
    [InlineData("""{"version":2,"steps":1,"sigmas":[80,1],"solver":"euler","schedule":"a\u0007b"}""", "schedule")]
    [InlineData("""{"version":2,"steps":1,"sigmas":[80,1],"solver":"euler","source":"heaven"}""", "source")]
    [InlineData("""{"version":2,"steps":1,"sigmas":[80,1]}""", "names no solver")]
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
    public void A_sampler_that_could_not_be_read_back_is_not_written()
    {
        var sampler = new Sampler(new SamplingSchedule([80, 1]), SolverCatalog.Find("euler"));
        Assert.Throws<ArgumentException>(() => (sampler with { Origin = new SamplerOrigin { Schedule = "a\nb" } }).Save(_path));
        Assert.Throws<ArgumentException>(
            () => (sampler with { Origin = new SamplerOrigin { Loss = new ScheduleLoss(double.NaN, 0, 1) } }).Save(_path));
        Assert.Throws<ArgumentException>(() => (sampler with { Solver = new Unnamed() }).Save(_path));
        Assert.False(File.Exists(_path));
    }

    private void AssertRefused(string rule)
    {
        var e = Assert.Throws<InvalidInputException>(() => Sampler.Read(_path, "euler"));
        Assert.Contains(_path, e.Message, StringComparison.Ordinal);
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private sealed class Unnamed : ISolver
    {
        public string Name => "of my own";

        public int Order => 1;

        public string Description => "";

        public int HistoryLength => 0;

        public SolverResult Step(SolverStep step) => throw new NotSupportedException();
    }
}
