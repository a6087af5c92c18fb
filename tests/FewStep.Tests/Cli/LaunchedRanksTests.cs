using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Reliability;

namespace FewStep.Tests.Cli;

/// <summary>Command lines that an MPI launcher starts several times.</summary>
public sealed class LaunchedRanksTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Four_ranks_tune_as_one_process_does_and_the_first_alone_speaks()
    {
        Assert.SkipWhen(Launcher.OpenMpi is null, Launcher.Missing);
        Assert.Equal(0, (await CommandLineRun.Of([.. Line("alone"), "--json"])).Code);
        using var run = new CommandRun([.. Line("ranks"), "--json"], ranks: 4);
        Assert.True(run.Wait() == 0, run.Messages);
        Assert.DoesNotContain("fewstep: ", run.Messages, StringComparison.Ordinal); // libtorch has words of its own
        using var result = JsonDocument.Parse(run.Output.Split(CommandRun.RenamesMark)[0]); // the rest is the test program's own
        Assert.Equal(4, result.RootElement.GetProperty("updates").GetInt32());
        Close("alone", "ranks");
        Assert.Equal(Names("alone"), Names("ranks"));
    }

    [Fact]
    public async Task Two_ranks_of_MPICH_do_too()
    {
        Assert.SkipWhen(Launcher.Mpich is null, "There is no MPICH (mpirun.mpich).");
        Assert.Equal(0, (await CommandLineRun.Of(Line("alone-too"))).Code);
        using var run = new CommandRun(Line("mpich"), ranks: 2, launcher: Launcher.Mpich);
        Assert.True(run.Wait() == 0, run.Messages);
        Close("alone-too", "mpich");
    }

    [Fact]
    public async Task When_a_rank_is_killed_the_others_end_with_one_line_and_one_process_can_go_on()
    {
        Assert.SkipWhen(Launcher.OpenMpi is null, Launcher.Missing);
        using var run = new CommandRun([.. Line("killed", updates: "100000", every: "100000"), "--checkpoint-seconds", "0"], ranks: 2);
        var began = System.Diagnostics.Stopwatch.StartNew();
        while (!File.Exists(world.At("killed", "tuning-curve.json")) && began.Elapsed < TimeSpan.FromMinutes(2))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        var killed = System.Diagnostics.Stopwatch.StartNew();
        run.Kill();
        Assert.NotEqual(0, run.Wait());
        Assert.True(killed.Elapsed < Soon, $"It took {killed.Elapsed}.");
        string said = Assert.Single(Said(run)); // the launcher asks the others to stop as well, and may be first
        Assert.Contains("Rank 1 has ended without a word", said, StringComparison.Ordinal);
        var more = await CommandLineRun.Of(
            Line("killed", updates: "1", every: "100000"));
        Assert.True(more.Code == 0, more.Messages);
        Assert.Empty(Directory.GetFiles(world.At("killed"), "*.tmp"));
    }

    [Fact]
    public void What_all_ranks_refuse_is_said_once()
    {
        Assert.SkipWhen(Launcher.OpenMpi is null, Launcher.Missing);
        using var run = new CommandRun(Line("refused", batch: "1"), ranks: 2);
        Assert.NotEqual(0, run.Wait());
        string said = Assert.Single(Said(run));
        Assert.Contains("A batch of 1 cannot be divided among 2 ranks", said, StringComparison.Ordinal);
    }

    private string[] Line(string folder, string batch = "6", string updates = "4", string every = "2") =>
    [
        "tune", "--model", world.Model, "--sampler", "karras/euler/2", "--threads", "1", "--dtype", "float32", "--updates", updates,
        "--tune-batch", batch, "--check-every", every, "--held-out", "6", "--distance", "pixels", "--snapshots", "none", "--out",
        world.At(folder),
    ];

    private static IEnumerable<string> Said(CommandRun run) => run.Messages.Split('\n')
        .Where(line => line.StartsWith("fewstep: ", StringComparison.Ordinal)
            && !line.Contains("stopping after the current step", StringComparison.Ordinal));

    private string[] Names(string folder) =>
        [.. Directory.GetFiles(world.At(folder)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private void Close(string expected, string actual)
    {
        using var scope = NewDisposeScope();
        var (one, _) = SafetensorsFile.Read(world.At(expected, "tuning.safetensors"));
        var (other, _) = SafetensorsFile.Read(world.At(actual, "tuning.safetensors"));
        Assert.True(allclose(one["weights"], other["weights"], rtol: 1e-3, atol: 1e-4));
        Assert.False(one["first_moment"].Equals(zeros_like(one["first_moment"])));
        Assert.True(allclose(one["first_moment"], other["first_moment"], rtol: 1e-2, atol: 1e-5));
    }
}
