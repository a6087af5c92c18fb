using FewStep.Onnx;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>inspect</c> says of an ONNX file: what the file says of itself, or what it was described as.</summary>
internal static class OnnxInspection
{
    /// <summary>Prints it.</summary>
    public static void Show(string path, TerminalOutput terminal, bool json)
    {
        var metadata = OnnxMetadata.Of(path);
        using var sampler = OnnxSampler.TryOpen(path);
        using var model = sampler is null ? Model.Open(path, new() { Device = DeviceChoice.Cpu }) : null;
        var (config, hash) = model is null ? (sampler!.Config, sampler.Summary.Hash) : (model.Config, model.Hash);
        var levels = (Low: config.Preconditioning.SigmaMin, High: config.Preconditioning.SigmaMax);
        var result = new
        {
            path,
            format = "ONNX file",
            kind = metadata is null ? null : sampler is null ? "denoiser" : "sampler",
            model = config.Name,
            model_hash = metadata?.ModelHash,
            license = metadata?.License,
            written_by = metadata?.Version,
            shape = config.Shape,
            classes = config.Classes,
            no_class = metadata?.KnowsNoClass,
            sampler = sampler?.Sampler.ToString(),
            sigmas = sampler?.Sampler.Schedule.Sigmas,
            evaluations = metadata?.Evaluations,
            guidance = metadata?.Guidance,
            weights_type = metadata?.WeightsType,
            prediction = model?.Config.Preconditioning.Kind,
            sigma_min = levels.Low,
            sigma_max = levels.High,
            hash,
        };
        terminal.Result(json, result, console =>
        {
            var table = new Table().AddColumn("").AddColumn("").HideHeaders();
            void Row(string name, InvariantText value) => table.AddRow(Markup.Escape(name), Markup.Escape(value.ToString()));
            Row("format", $"ONNX file{(metadata is null ? "" : $" of fewstep {metadata.Version}")}");
            Row("holds", $"{(sampler is null ? "a denoiser" : $"a whole sampler, {sampler.Sampler}, from latents to images")}");
            Row("model", $"{config.Name}{(metadata is null ? "" : $" ({metadata.ModelHash})")}");
            Row("images", $"{config.Shape} (channels x height x width)");
            Row("classes", $"{(config.Classes == 0 ? "none" : InvariantText.Of($"{config.Classes}"))}");
            Row("sigma", $"{levels.Low:G6} to {levels.High:G6}");
            if (model is not null)
                Row("prediction", $"{config.Preconditioning.Kind}");
            if (metadata is not null)
            {
                Row("evaluations", $"{metadata.Evaluations} an image{(sampler is null ? " and call" : "")}");
                Row("guidance", $"{(metadata.Guidance == 1 ? "none" : InvariantText.Of($"weight {metadata.Guidance:R}"))}");
                Row("weights", $"{metadata.WeightsType}{(metadata.License.Length == 0 ? "" : $", {metadata.License}")}");
            }

            Row("hash", $"{hash}");
            console.Write(table);
        });
    }
}
