using System.Diagnostics;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;

namespace FewStep.Bench;

/// <summary>Images per second of a model on a device in bfloat16 or float32 (sampling, training, Phase 2), with the share of the rate that
/// large matrix products reach there.</summary>
internal static class DeviceSpeed
{
    private const string Usage = "device [--device auto|cpu|cuda|cuda:N] [--model MODEL] [--batch N] [--dtype bfloat16|float32] [--threads "
        + "N]";
    private const int Steps = 8;

    /// <summary>Measures and prints.</summary>
    /// <param name="words">Words after <c>device</c>.</param>
    public static int Run(string[] words)
    {
        string? Value(string name) => Array.IndexOf(words, name) is >= 0 and int at && at + 1 < words.Length ? words[at + 1] : null;
        int batch = 64;
        if (Value("--batch") is string text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out batch) || batch < 1))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        if (Value("--dtype") is not (null or "bfloat16" or "float32"))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        try
        {
            Measure(DeviceChoice.Parse(Value("--device") ?? "auto").Resolve(), Value("--model"), batch,
                Value("--dtype") == "float32" ? ScalarType.Float32 : ScalarType.BFloat16);
            return 0;
        }
        catch (InvalidInputException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    private static void Measure(Device device, string? path, int batch, ScalarType type)
    {
        if (BenchModel.Threads is int threads)
            set_num_threads(threads);

        double peak = Peak(device, type);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"matrix products, {(type == ScalarType.Float32 ? "float32" : "bfloat16")}, on {device}: {2 * peak / 1e12:F2} TFLOP/s"));
        using var source = path is null ? null : ModelSource.Open(path);
        using var embedded = source is null ? BenchModel.Open(type) : null;
        var model = source?.Denoiser ?? embedded!;
        model.ComputeType = type;
        model.MoveTo(device);
        double forward = model.CountMultiplyAdds();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{model.Layout.Count:N0} parameters, {forward / 1e9:F2} billion multiply-adds an evaluation, batch {batch}"));
        void Report(string what, double seconds, double evaluations) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {batch / seconds:F1} images/s, {batch * evaluations * forward / seconds / peak:P0} of the matrix products' rate"));

        var schedule = StandardSchedule.Karras().Create(Steps, model.SigmaMin, model.SigmaMax, ScheduleTerminal.SigmaMin);
        var sampler = new BatchSampler(new SamplingLoop(model, new EulerSolver(), schedule)) { BatchSize = batch };
        long[] seeds = [.. Enumerable.Range(0, batch).Select(i => (long)i)];
        Report($"sampling in {Steps} evaluations", Seconds(device, () => sampler.Sample(seeds).Single().Dispose()), Steps);

        // A gradient costs two evaluations beside the forward one.
        using var images = Images(model, batch);
        using var labels = model.Classes == 0 ? null : SeedLabels.For(seeds, model.Classes, device: device);
        using var state = new TrainingState(model.Weights.clone(), new AdamWOptions(), emaHalfLife: 10_000);
        var training = new TrainerOptions { Images = long.MaxValue / 2, Batch = batch };
        var loop = new TrainingLoop(
            state, new PretrainingObjective(model, training, () => new ImageBatch(0, images.alias(), labels?.alias()), _ => { }));
        Report("training update", Seconds(device, () => loop.Update(CancellationToken.None)), 3);
        Tune(model, schedule, batch, type, Report);
    }

    // A student's evaluation with its gradient counts as three.
    private static void Tune(
        NetworkDenoiser model, SamplingSchedule schedule, int batch, ScalarType type, Action<string, double, double> report)
    {
        const int Updates = 12;
        var options = new TuningOptions
        { Updates = Updates, Batch = batch, HeldOutCount = batch, EvaluationInterval = Updates, TeacherBatches = 1, TeacherReuse = 4 };
        var watch = Stopwatch.StartNew();
        using var result = new Tuner(model, new Sampler(schedule, SolverCatalog.Find("euler")), options).Run();
        double seconds = watch.Elapsed.TotalSeconds;
        var used = result.Report.Evaluations;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Phase 2: {result.Report.Updates} updates with {used.Teacher:N0} "
            + $"evaluations of the teacher, {used.Student:N0} of the student and {used.HeldOut:N0} for judging in {seconds:F1} s"));
        report($"Phase 2 update on {schedule.Steps} levels, all of that included", seconds / result.Report.Updates,
            (used.Forward + (2 * (double)used.Student)) / batch / result.Report.Updates);
    }

    private static Tensor Images(NetworkDenoiser model, int batch)
    {
        using var scope = NewDisposeScope();
        return BenchModel.Images(model, batch).clamp(-1, 1).to(model.Device).MoveToOuterDisposeScope();
    }

    private static double Peak(Device device, ScalarType type)
    {
        int side = device.type == DeviceType.CUDA ? 8192 : 2048;
        using var scope = NewDisposeScope();
        var a = randn([side, side], device: device).to(type);
        double best = Enumerable.Range(0, 3).Min(_ => Seconds(device, () => a.matmul(a).Dispose()));
        return Math.Pow(side, 3) / best;
    }

    // The mean of enough runs for about two seconds, after one that warms up.
    private static double Seconds(Device device, Action work)
    {
        double once = Timed(device, work, 1);
        once = Math.Min(once, Timed(device, work, 1));
        return Timed(device, work, (int)Math.Clamp(2 / once, 1, 1000));
    }

    private static double Timed(Device device, Action work, int times)
    {
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < times; i++)
        {
            using var scope = NewDisposeScope();
            work();
        }

        DeviceWork.Finish(device);
        return watch.Elapsed.TotalSeconds / times;
    }
}
