using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using FewStep.Checkpoints;
using FewStep.Cli.Terminal;
using FewStep.Cli.Verbs;
using FewStep.Data;
using FewStep.Interchange;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Studio;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Studio;

/// <summary>The studio's server, without a browser.</summary>
public sealed class StudioServerTests(StudioWorld world) : IClassFixture<StudioWorld>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", null, null)]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef/", null, null)]
    [InlineData("TOKEN", null, null)]
    [InlineData("TOKEN/", "rebound.example:PORT", null)]
    [InlineData("TOKEN/", "127.0.0.1:1", null)]
    [InlineData("TOKEN/api/studio", null, "http://evil.example")]
    [InlineData("TOKEN/api/studio", null, "null")]
    public async Task Nobody_is_let_in_without_token_and_address(string path, string? host, string? origin)
    {
        string token = world.Address.AbsolutePath.Trim('/'), port = $"{world.Address.Port}";
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(world.Address, "/" + path.Replace("TOKEN", token, StringComparison.Ordinal)));
        request.Headers.Host = host?.Replace("PORT", port, StringComparison.Ordinal);
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        using var response = await world.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.DoesNotContain(token, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_another_site_that_knows_the_address_is_not_answered()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(world.Address, "api/studio"));
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var response = await world.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task The_page_is_small_and_fetches_and_runs_nothing_but_its_own_files()
    {
        long bytes = 0;
        foreach (string name in PageFiles.Names.Append(""))
        {
            using var response = await world.Client.GetAsync(name, Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-store", response.Headers.GetValues("Cache-Control").Single());
            string policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; ", policy, StringComparison.Ordinal);
            string text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.Empty(Regex.Matches(text, @"https?://(?!www\.w3\.org/2000/svg)|innerHTML|insertAdjacentHTML|\beval\("));
            bytes += name.Length == 0 ? 0 : Encoding.UTF8.GetByteCount(text);
        }

        string page = await world.Client.GetStringAsync("", Cancellation);
        Assert.Empty(Regex.Matches(page, @"<script(?![^>]* src=)|<style|\sstyle=|\son\w+="));
        Assert.All(Regex.Matches(page, @"(?:src|href)=""([^""]+)"""), m => Assert.Contains(m.Groups[1].Value, PageFiles.Names));
        Assert.InRange(bytes, 10_000, 200_000);
        Assert.Equal(HttpStatusCode.NotFound, (await world.Client.GetAsync("none", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Images_are_those_of_the_library_and_each_step_is_shown()
    {
        var answer = await world.Post("sample", new { side = "a", seeds = "3-5", sampler = new { sampler = "karras/heun/2" } });
        using var model = Model.Open(world.Model, StudioWorld.Opening);
        using var samples = model.Sample(SeedList.Parse("3-5"), model.CreateSampler("karras/heun/2"));
        string expected = Convert.ToBase64String(PngFile.EncodeGrid(samples.Images, new GridLayout { Columns = 3, Gutter = 0 }));
        Assert.Equal(expected, answer.GetProperty("image").GetString());
        Assert.Equal(2, answer.GetProperty("steps").GetArrayLength());
        Assert.Equal(samples.EvaluationsPerImage, answer.GetProperty("evaluations").GetDouble());
        var labelled = await world.Post(
            "sample", new { side = "a", seeds = "3-5", label = 1, sampler = new { sampler = "karras/heun/2", guidance = (double?)null } });
        Assert.NotEqual(expected, labelled.GetProperty("image").GetString());
    }

    [Fact]
    public async Task Moved_sigmas_are_sampled_and_a_fitted_solver_then_gives_way_to_its_base()
    {
        using var model = Model.Open(world.Model, StudioWorld.Opening);
        var plain = model.CreateSampler("karras/euler/2");
        var fitted = new FittedSolver(
            plain.Solver, plain.Schedule, [new StepCorrection { Slope = 0.1 }, new StepCorrection { Differences = [0.2] }]);
        string file = Path.Combine(world.Out, "made.sampler.json");
        new Sampler(plain.Schedule, fitted)
        {
            Origin = new SamplerOrigin
            {
                Schedule = "karras",
                ModelHash = model.Hash,
                Fit = new FitOrigin
                {
                    Latents = 8,
                    HeldOutLatents = 8,
                    Teacher = "heun, 8 steps",
                    Fitted = 1,
                    HeldOut = new(1, 0.5, 1.5),
                    Base = new(4, 3, 5),
                    Stop = "made up",
                },
            },
        }.Save(file);
        var own = (await world.Post("sample", new { side = "a", seeds = "0", sampler = new { sampler = file } })).GetProperty("sampler");
        Assert.Equal(("euler", fitted.Name), (own.GetProperty("base").GetString(), own.GetProperty("solver").GetString()));
        Assert.Contains("<svg", own.GetProperty("weights").GetString(), StringComparison.Ordinal);
        double[] moved = [plain.Schedule.Sigmas[0], 1.25, plain.Schedule.Sigmas[2]];
        var answer = await world.Post("sample", new { side = "a", seeds = "0", sampler = new { sampler = file, sigmas = moved } });
        Assert.Equal("euler", answer.GetProperty("sampler").GetProperty("solver").GetString());
        Assert.Equal(moved, answer.GetProperty("sampler").GetProperty("sigmas").Deserialize<double[]>()!);
        Assert.Contains("Sigmas must decrease", await world.Refused(
            "sample", new { seeds = "0", sampler = new { sampler = file, sigmas = new[] { 1.0, 2.0 } } }), StringComparison.Ordinal);
        Assert.Contains("made for", await world.Refused(
            "sample", new { seeds = "0", sampler = new { sampler = file, sigmas = new[] { 1e9, 1, 0.002 } } }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Figures_are_distances_to_the_teacher_seed_by_seed_with_their_intervals()
    {
        object Side(string side, string sampler) => new { side, seeds = "0-3", sampler = new { sampler } };
        await world.Post("sample", Side("b", "karras/heun/3"));
        await world.Post("sample", Side("a", "karras/euler/2"));
        var figures = (await world.Post("teacher", Side("a", "karras/euler/2"))).GetProperty("figures");
        using var model = Model.Open(world.Model, StudioWorld.Opening);
        double[] Distances(string sampler)
        {
            using var mine = model.Sample(SeedList.Of(4), model.CreateSampler(sampler));
            using var teacher = model.Sample(SeedList.Of(4), model.CreateSampler("karras/ipndm-v:3/48"));
            return [.. Enumerable.Range(0, 4).Select(
                i => Math.Sqrt((mine.Images[i] - teacher.Images[i]).to(float64).pow(2).mean().item<double>()))];
        }

        var (a, b) = (Distances("karras/euler/2"), Distances("karras/heun/3"));
        var difference = FewStep.Metrics.PairedRanges.Compare(a, b)!;
        Assert.Equal(a.Average(), figures.GetProperty("a").GetProperty("mean").GetDouble(), 6);
        Assert.Equal(b.Average(), figures.GetProperty("b").GetProperty("mean").GetDouble(), 6);
        Assert.Equal(difference.Mean, figures.GetProperty("difference").GetProperty("mean").GetDouble(), 6);
        Assert.Equal(difference.HalfWidth!.Value, figures.GetProperty("difference").GetProperty("half_width").GetDouble(), 6);
        var other = await world.Post("sample", new { side = "a", seeds = "5-6", sampler = new { sampler = "karras/euler/2" } });
        Assert.False(other.GetProperty("figures").TryGetProperty("a", out _)); // of other seeds the teacher says nothing
    }

    [Theory]
    [InlineData("sample", """{"seeds":"0-7","sampler":{"model":"/nothing/here"}}""", "/nothing/here")]
    [InlineData("sample", """{"seeds":"0-64"}""", "up to 64 images")]
    [InlineData("sample", """{"seeds":"x"}""", "no seed")]
    [InlineData("sample", """{"seeds":"0","label":9}""", "none of the model's 4 classes")]
    [InlineData("sample", """{"seeds":"0","sampler":{"sampler":"karras/euler/101"}}""", "up to 100 steps")]
    [InlineData("sample", """{"seeds":"0","sampler":{"sampler":"phase1/euler/4"}}""", "searches")]
    [InlineData("sample", """{"seeds":"0","sampler":{"sampler":"/etc/passwd"}}""", "passwd")]
    [InlineData("sample", """{"seeds":"0","sampler":{"sampler":"/dev/zero"}}""", "pipe or device")]
    [InlineData("sample", """{"seeds":"0","sampler":{"guidance":-1}}""", "guidance is invalid")]
    [InlineData("sample", """{"seeds":"0","colour":"red"}""", "colour")]
    [InlineData("sample", """{"seeds":""", "not valid")]
    [InlineData("jobs", """{"kind":"fit","steps":[]}""", "numbers of steps")]
    [InlineData("jobs", """{"kind":"fit","steps":[4],"latents":2}""", "at least 8 latents")]
    [InlineData("jobs", """{"kind":"search","steps":[4],"search":"magic"}""", "no schedule optimiser 'magic'")]
    [InlineData("jobs", """{"kind":"tune","updates":0}""", "updates must lie between")]
    [InlineData("save", """{"name":"../evil"}""", "Name the file")]
    [InlineData("save", """{"name":".hidden"}""", "Name the file")]
    public async Task Bad_requests_are_refused_in_one_line(string call, string json, string fragment)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await world.Client.PostAsync($"api/{call}", content, Cancellation);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        string line = answer.GetProperty("error").GetString()!;
        Assert.Contains(fragment, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    [Fact]
    public async Task What_is_no_request_of_the_page_is_refused()
    {
        using var large = JsonContent.Create(new { seeds = new string('1', 70_000) });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await world.Client.PostAsync("api/sample", large, Cancellation)).StatusCode);
        using var form = new FormUrlEncodedContent([new("seeds", "0")]);
        Assert.Equal(HttpStatusCode.BadRequest, (await world.Client.PostAsync("api/sample", form, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await world.Client.GetAsync("api/none", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await world.Client.GetAsync("api/sample", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_fit_is_started_told_of_refused_beside_another_and_cancelled()
    {
        using var events = new StreamReader(await world.Client.GetStreamAsync("api/events", Cancellation));
        object Fit(int latents) => new
        { kind = "fit", keeps_sigmas = true, latents, sampler = new { sampler = "karras/euler/2" } };
        var long_ = await world.Post("jobs", Fit(5000));
        Assert.Equal("running", long_.GetProperty("state").GetString());
        Assert.Contains("One job runs at a time", await world.Refused("jobs", Fit(8)), StringComparison.Ordinal);
        await world.Post("cancel", new { id = long_.GetProperty("id").GetInt32() });
        await Until(events, "cancelled");
        await world.Post("jobs", Fit(8));
        var done = await Until(events, "done");
        string file = done.GetProperty("results")[0].GetProperty("sampler").GetString()!;
        Assert.StartsWith(world.Out, file, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(file)!, "fit.html")));
        await world.Post("sample", new { side = "a", seeds = "0", sampler = new { sampler = file } });
    }

    [Fact]
    public async Task A_curve_a_search_and_a_tuning_leave_what_the_page_then_shows()
    {
        using var events = new StreamReader(await world.Client.GetStreamAsync("api/events", Cancellation));
        async Task<JsonElement> Done(object job)
        {
            var started = await world.Post("jobs", job);
            JsonElement told;
            do
                told = await Until(events, "done");
            while (told.GetProperty("id").GetInt32() != started.GetProperty("id").GetInt32());
            return told.GetProperty("results");
        }

        Assert.False((await world.Post("model", new { })).TryGetProperty("curve", out _));
        await Done(new { kind = "curve", latents = 8 });
        var curve = (await world.Post("model", new { })).GetProperty("curve");
        Assert.Equal(8, curve.GetProperty("images_per_point").GetInt32());
        Assert.Equal(32, curve.GetProperty("points").GetArrayLength());
        var found = (await Done(new { kind = "search", steps = new[] { 2 } }))[0];
        Assert.Equal(2, Sampler.Read(found.GetProperty("sampler").GetString()!).Steps);
        var tuned = (await Done(new { kind = "tune", updates = 1, sampler = new { sampler = "karras/euler/2" } }))[0];
        string folder = tuned.GetProperty("model").GetString()!;
        Assert.Equal("karras/euler/2", (await world.Post("model", new { model = folder })).GetProperty("own_sampler").GetString());
        await world.Post("sample", new { side = "b", seeds = "0", sampler = new { model = folder } });
    }

    [Fact]
    public async Task What_is_copied_out_means_the_sampler_elsewhere()
    {
        double[] sigmas = [80, 2, 0.002];
        object mine = new { name = "mine-2", sampler = new { sampler = "karras/ipndm:2/2", sigmas } };
        var texts = await world.Post("copy", mine);
        string Text(string title) => texts.EnumerateArray().First(
            t => t.GetProperty("title").GetString()!.StartsWith(title, StringComparison.Ordinal)).GetProperty("text").GetString()!;
        string file = (await world.Post("save", mine)).GetProperty("file").GetString()!;
        await world.Post("save", mine); // the same again is no other sampler
        Assert.Equal(File.ReadAllText(file), Text("Sampler file"));
        var saved = Sampler.Read(file);
        Assert.Equal((new SamplingSchedule(sigmas), "ipndm:2"), (saved.Schedule, saved.Solver.Name));
        Assert.Contains("another sampler", await world.Refused(
            "save", new { name = "mine-2", sampler = new { sampler = "karras/euler/3" } }), StringComparison.Ordinal);
        var ofLevels = new ScheduleExportOptions { Family = new NoiseFamily.Levels() };
        Assert.Equal(ScheduleExporters.Export("comfyui", saved.Schedule, ofLevels).Text, Text("comfyui"));
        Assert.Equal(ScheduleExporters.Export("diffusers", saved.Schedule, ofLevels).Text, Text("diffusers"));
        var root = CommandLine.Root(new TerminalOutput(new ResultWriter(TextWriter.Null), new MessageWriter(TextWriter.Null)));
        var command = root.Parse(Text("Sample with it")["fewstep ".Length..]);
        Assert.Empty(command.Errors);
        Assert.Equal((world.Model, file), (command.GetValue<string>("--model"), command.GetValue<string>("--sampler")));
        Assert.Contains($"Sampler.Read(\"{file}\")", Text("In a program"), StringComparison.Ordinal);
        foreach (var (title, target) in new[] { ("ONNX", "onnx"), ("A page", "web") })
        {
            var export = root.Parse(Text(title)["fewstep ".Length..]);
            Assert.Empty(export.Errors);
            Assert.Equal((target, file), (export.GetValue<string>("--to"), export.GetValue<string>("--sampler")));
        }

        // Without a sampler it would be the denoiser.
        var own = await world.Post("copy", new { name = "mine-2", sampler = new { } });
        var onnx = own.EnumerateArray().Single(t => t.GetProperty("title").GetString()!.StartsWith("ONNX", StringComparison.Ordinal));
        Assert.Contains(" --sampler ", onnx.GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_are_listed_opened_and_compared_by_what_they_measured_alone()
    {
        string[] names = [.. (await world.Get("runs")).EnumerateArray().Select(r => r.GetProperty("name").GetString()!)];
        Assert.Equal(["first", "second"], names.Order());
        using var one = await world.Client.GetAsync("api/report?run=first", Cancellation);
        string report = await one.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("Run &lt;first&gt;", report, StringComparison.Ordinal);
        Assert.DoesNotContain("somebody else", report, StringComparison.Ordinal);
        Assert.Contains("script-src 'sha256-", one.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        string both = await world.Client.GetStringAsync("api/report?run=first&run=second", Cancellation);
        Assert.Contains("first: Karras, rho 7", both, StringComparison.Ordinal);
        Assert.Contains("second: Karras, rho 7", both, StringComparison.Ordinal);
        foreach (string outside in new[] { "..", "../out", "/etc", "first/../../out", "none", "" })
        {
            using var refused = await world.Client.GetAsync($"api/report?run={Uri.EscapeDataString(outside)}", Cancellation);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Fact]
    public async Task The_newest_request_of_a_side_is_done_and_the_teacher_gives_way()
    {
        using var desk = new SamplingDesk();
        static int Endless(CancellationToken cancellation)
        {
            cancellation.WaitHandle.WaitOne();
            cancellation.ThrowIfCancellationRequested();
            return 0;
        }

        var teacher = desk.Do("teacher", Endless, givesWay: true, Cancellation);
        var old = desk.Do("a", Endless, givesWay: false, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => teacher);
        var other = desk.Do("b", _ => 2, givesWay: false, Cancellation);
        Assert.False(other.IsCompleted);
        var waiting = desk.Do("teacher", _ => 4, givesWay: true, Cancellation);
        var newest = desk.Do("a", _ => 3, givesWay: false, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => old);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal((2, 3), (await other, await newest));
    }

    [Fact]
    public async Task The_verb_says_the_address_and_ends_when_it_is_interrupted()
    {
        using var interruption = new CancellationTokenSource();
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var messages = new StringWriter(CultureInfo.InvariantCulture);
        string[] line = ["studio", "--model", world.Model, "--data", world.Data, "--out", $"{world.Out}-verb", "--json"];
        var run = Task.Run(() => CommandLine.Run(line, output, messages, interruption.Token), Cancellation);
        while (!run.IsCompleted && output.ToString().Length == 0)
            await Task.Delay(20, Cancellation);
        Assert.False(run.IsCompleted, messages.ToString());
        string address = JsonDocument.Parse(output.ToString()).RootElement.GetProperty("address").GetString()!;
        string page = await world.Client.GetStringAsync(new Uri(address), Cancellation);
        Assert.Contains("<title>FewStep studio", page, StringComparison.Ordinal);
        await interruption.CancelAsync();
        Assert.Equal(0, await run);
        await CommandLineRun.Refused("--data nowhere does not exist", "studio", "--model", world.Model, "--data", "nowhere");
        await CommandLineRun.Refused("is a file", "studio", "--model", world.Model, "--data", world.Data, "--runs",
            Path.Combine(world.Model, "config.json"));
        await CommandLineRun.Refused("cannot be listened at", "studio", "--model", world.Model, "--out",
            $"{world.Out}-taken", "--port", $"{world.Address.Port}");
    }

    // The next that is told of a job in a state; a failure is none of those that are waited for.
    private static async Task<JsonElement> Until(StreamReader events, string state)
    {
        while (await events.ReadLineAsync(Cancellation) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            var job = JsonSerializer.Deserialize<JsonElement>(line[6..]);
            string now = job.GetProperty("state").GetString()!;
            Assert.True(now != "failed", line);
            if (now == state)
                return job;
        }

        throw new InvalidOperationException("The events have ended.");
    }
}
