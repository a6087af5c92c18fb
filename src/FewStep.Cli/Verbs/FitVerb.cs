using FewStep.Fitting;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep fit</c>: Phase 1 with the solver's weights: samplers fitted to the model, weights of the model untouched.</summary>
internal static class FitVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var defaults = new FindOptions();
        var (model, data) = (SharedOptions.Model(", an ONNX file, or the JSON file of a Gaussian mixture"), SharedOptions.Data());
        var output = Flag.Of("--out", "Folder for the sampler files, fit.json and fit.html.", Path.Combine("runs", "fit"), "folder");
        var steps = Flag.Of("--steps", "Numbers of steps, all fitted on the same teacher paths.", "3,4,5,6,8,10", "list");
        var schedule = Flag.Of("--schedule", $"Where the sigmas come from: {string.Join(", ", ScheduleOptimizerCatalog.Names)} search for them "
            + $"with --data; {string.Join(", ", StandardSchedules.Names)}; or a file.", defaults.Search, "name");
        var (fitting, curveOptions, about) = (new FitFlags(), new LossCurveFlags(), new ModelFlags());
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("fit", "Phase 1: fit samplers of a few steps to a model, sigmas and the solver's weights; seconds, without "
            + "gradients, for any denoiser.") { model, data, output, steps, schedule };
        foreach (var option in (Option[])[.. fitting.All, curveOptions.File, dtype, seed, threads, json])
            command.Add(option);

        curveOptions.AddTo(command);
        foreach (var option in about.All)
            command.Add(option);

        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var options = fitting.Read(parsed);
            var numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps");
            var chosen = ScheduleChoice.Parse(parsed.GetRequiredValue(schedule));
            string folder = parsed.GetRequiredValue(output);
            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            using var training = new DelayedImages(parsed.GetRequiredValue(data), terminal.Progress, cancellation);
            var find = new FindOptions
            {
                Solver = options.Solver,
                Curve = curveOptions.Read(parsed),
                LossCurve = curveOptions.ReadFile(parsed, source.Hash),
                Seed = parsed.GetValue(seed),
            };
            var samplers = source.OnSchedule(chosen, numbers, () => training.Value, find, terminal.Progress, cancellation);
            var fitted = new SamplerFit(source, options, find.Seed).Fit(samplers, terminal.Progress, cancellation);
            foreach (var (sampler, _) in fitted)
                sampler.Save(Path.Combine(folder, FormattableString.Invariant($"n{sampler.Steps}{SamplerFile.Extension}")));

            terminal.Result(parsed.GetValue(json), new { samplers = fitted.Select(f => f.Result) }, console => Show(console, fitted, folder));
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Show(IAnsiConsole console, IReadOnlyList<(Sampler Sampler, FittedSchedule Result)> fitted, string folder)
    {
        var table = new Table().AddColumns("N", "RMS fitted on", "held out (95 %)", "without the fit", "evaluations", "seconds", "sigmas");
        foreach (var (sampler, r) in fitted)
        {
            table.AddRow(Text($"{sampler.Steps}"), r.Fitted is double f ? Text($"{Math.Sqrt(f):F4}") : "–",
                Text($"{Math.Sqrt(r.HeldOut.Value):F4} [{Math.Sqrt(r.HeldOut.Low!.Value):F4}, {Math.Sqrt(r.HeldOut.High!.Value):F4}]"),
                Text($"{Math.Sqrt(r.Base.Value):F4}"), Text($"{r.Evaluations:N0}"), Text($"{r.Seconds:F1}"), sampler.Schedule.ToString());
        }

        console.Write(table);
        console.WriteLine($"Sampler files are in {folder}.");
    }

    private static string Text(FormattableString text) => Markup.Escape(FormattableString.Invariant(text));
}
