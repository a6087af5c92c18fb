using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep inspect</c>: what a model is, and what its file does not say.</summary>
internal static class InspectVerb
{
    private const double Million = 1e6;

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("inspect", "Print what a model is: architecture, size, preconditioning, noise levels, images, classes.");
        var model = command.Argument(
            "A model in any accepted form: a model folder, a network pickle of NVlabs/edm, a state dictionary in "
                + "guided-diffusion's names, a diffusers folder, an ONNX file.");
        var json = command.Json();
        return command.Runs((parsed, _) =>
        {
            string path = parsed.GetRequiredValue(model);
            if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(path))
            {
                OpenedModel.RefuseNetworkOptions(path, new() { Checkpoint = CheckpointFlags.Read(parsed) }, "an ONNX file");
                OnnxInspection.Show(path, terminal, parsed.GetValue(json));
                return;
            }

            using var source = Model.Open(
                path, new ModelOptions
                {
                    Checkpoint = CheckpointFlags.Read(parsed),
                    Device = DeviceChoice.Cpu,
                    NeedsNoPrompts = true,
                    NeedsNoPipeline = true,
                });
            var result = new
            {
                path = source.Path,
                format = source.Format,
                architecture = Architecture(source),
                parameters = source.Summary.Parameters,
                shape = source.Autoencoder?.ImagesOf(source.Config.Shape) ?? source.Config.Shape,
                latents = source.Autoencoder is null ? null : source.Config.Shape,
                classes = source.Config.Classes,
                sigma_min = source.Denoiser.SigmaMin,
                sigma_max = source.Denoiser.SigmaMax,
                schedule_sigma_min = source.ScheduleRange.SigmaMin,
                schedule_sigma_max = source.ScheduleRange.SigmaMax,
                noise_levels = Levels(source),
                hash = source.Hash,
                config = source.Config,
                pipeline = source.Pipeline,
                sampler = source.Sampler?.ToString(),
                remarks = source.Remarks,
            };
            terminal.Result(parsed.GetValue(json), result, console => Show(console, source));
        });
    }

    private static void Show(IAnsiConsole console, Model source)
    {
        var table = new Table().AddColumn("").AddColumn("").HideHeaders();
        void Row(string name, InvariantText value) => table.AddRow(Markup.Escape(name), Markup.Escape(value.ToString()));
        Row("format", $"{source.Format}");
        Row("architecture", $"{Architecture(source)}");
        Row("parameters", $"{source.Summary.Parameters:N0} ({source.Summary.Parameters / Million:F1} million)");
        Row("images", $"{source.Autoencoder?.ImagesOf(source.Config.Shape) ?? source.Config.Shape} (channels x height x width)");
        if (source.Autoencoder is not null)
            Row("latents", $"{source.Config.Shape}, from which the images are decoded");
        Row("classes", $"{(source.Config.Classes == 0 ? "none" : source.Config.Classes.ToString(CultureInfo.InvariantCulture))}");
        Row("preconditioning", $"{Preconditioning(source.Config.Preconditioning)}");
        Row("sigma", $"{source.Denoiser.SigmaMin:G6} to {source.Denoiser.SigmaMax:G6}"
            + $"{(Levels(source) is { } levels ? string.Create(CultureInfo.InvariantCulture, $", {levels:N0} levels") : "")}");
        Row("schedules", $"{source.ScheduleRange.SigmaMin:G6} to {source.ScheduleRange.SigmaMax:G6}, unless asked otherwise");
        if (source.Pipeline is { } pipeline)
            Row("pipeline", $"{pipeline.Folder}{(pipeline.File is null ? "" : $" with {pipeline.File}")}");
        Row("sampler", $"{source.Sampler?.ToString() ?? "none of its own"}");
        Row("hash", $"{source.Hash}");
        console.Write(table);
        foreach (string remark in source.Remarks)
            console.Profile.Out.Writer.WriteLine(remark);
    }

    private static string Architecture(Model source)
    {
        if (source.Network is null)
            return source.Format;
        var network = source.Config.Network;
        return network.Description + (network.OutChannels > network.InChannels ? ", learnt variance (not used)" : "");
    }

    private static string Preconditioning(PreconditioningConfig given) => given.Kind switch
    {
        PreconditioningConfig.Discrete => string.Create(CultureInfo.InvariantCulture, $"discrete, {given.TimeSteps ?? 1000} time steps, "
            + $"{given.Noise ?? (given.Sigmas is null ? DiscreteVpNoise.LinearName : "levels of its own")}, "
            + $"predicts {given.Prediction ?? NetworkPrediction.Epsilon}"
            + $"{(given.ZeroTerminalSnr == true ? ", ends without signal" : "")}"
            + $"{(given.BoundaryScale is { } boundary ? $", boundary scalings of {boundary:G6} t" : "")}"
            + $"{(given.TimeScale is { } factor ? $", times scaled by {factor:G6}" : "")}").ToLowerInvariant(),
        PreconditioningConfig.Edm or PreconditioningConfig.Consistency => string.Create(CultureInfo.InvariantCulture, $"{given.Kind}, "
            + $"sigma_data {given.SigmaData:G6}{(given.NoiseLabelScale is { } scale ? $", noise label times {scale:G6}" : "")}"
            + $"{(given.Prediction is NetworkPrediction.V ? ", predicts v" : "")}"),
        _ => given.Kind,
    };

    private static int? Levels(Model model) => (model.Network?.Preconditioning as DiscreteVpPreconditioning)?.Noise.Sigmas.Length;
}
