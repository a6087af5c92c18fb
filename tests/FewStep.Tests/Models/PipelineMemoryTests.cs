using FewStep.Checkpoints;
using FewStep.Models;
using FewStep.Onnx;
using FewStep.Tests.Checkpoints;
using FewStep.Tests.Cli;
using System.Text.Json;

namespace FewStep.Tests.Models;

/// <summary>Model folders that remember the pipeline that their network belongs to.</summary>
public sealed class PipelineMemoryTests : TensorFileTests
{
    private static readonly ModelOptions Prompted = new()
    { Prompts = ["a photo of a cat", "a red house"], ComputeType = float32, Device = DeviceChoice.Cpu };

    [Fact]
    public void A_saved_model_opens_with_its_pipeline_wherever_both_go()
    {
        var (pipeline, saved) = Saved();
        Assert.Contains("\"folder\": \"../sd\"", File.ReadAllText(Path.Combine(saved, "config.json")), StringComparison.Ordinal);
        (string, string) hashes;
        using (Model model = Model.Open(pipeline, Prompted), tuned = Model.Open(saved, Prompted),
            named = Model.Open(saved, Prompted with { Checkpoint = new() { Pipeline = pipeline } }))
        {
            Assert.Equal(Images(model), Images(tuned));
            Assert.Equal(named.Hash, tuned.Hash);
            hashes = (tuned.Hash, tuned.NetworkHash);
            tuned.Save(_folder.File("at/deeper/copy"));
            OnnxExport.WritePipeline(tuned, _folder.File("onnx"), null);
            Assert.True(File.Exists(Path.Combine(_folder.File("onnx"), "text_encoder", "model.onnx")));
        }

        Directory.Move(_folder.File("at"), _folder.File("moved"));
        using Model moved = Model.Open(_folder.File("moved/saved"), Prompted),
            copy = Model.Open(_folder.File("moved/deeper/copy"), Prompted);
        Assert.Equal(hashes, (moved.Hash, moved.NetworkHash));
        Assert.Equal(hashes, (copy.Hash, copy.NetworkHash));
    }

    [Fact]
    public async Task A_tuned_folder_is_sampled_and_tuned_again_without_naming_the_pipeline()
    {
        string whole = OneFile.Pipeline(_folder.File("sd"), "1"), described = OneFile.WithoutWeights(_folder.File("described"), "1");
        string file = OneFile.Of(whole, _folder.File("fine.safetensors")), tuned = _folder.File("tuned"), again = _folder.File("again");
        string[] short_ = ["--prompt", "a cat", "--dtype", "float32", "--sampler", "karras/euler/2", "--updates", "1", "--tune-batch", "1",
            "--held-out", "2", "--teacher-substeps", "1", "--loss", "trajectory", "--snapshots", "none"];
        await CommandLineRun.Json(
            ["tune", "--model", file, "--model-pipeline", described, .. short_, "--out", tuned]);
        await CommandLineRun.Json(["tune", "--model", tuned, .. short_, "--out", again]);
        await CommandLineRun.Json(["sample", "--model", again, "--prompt", "a cat", "--dtype", "float32", "--seeds", "0", "--grid",
            _folder.File("cat.png")]);
        string config = File.ReadAllText(Path.Combine(again, "config.json"));
        Assert.Contains("\"folder\": \"../described\"", config, StringComparison.Ordinal);
        Assert.Contains("\"file\": \"../fine.safetensors\"", config, StringComparison.Ordinal);
        using (Model remembered = Model.Open(again, Prompted), named = Model.Open(again, Prompted with
        { Checkpoint = new() { Pipeline = described, PipelineFile = file } }))
        {
            Assert.Equal(named.Hash, remembered.Hash);
        }

        File.Delete(file);
        await CommandLineRun.Refused("Name it with --model-pipeline.", ["sample", "--model", again, "--prompt", "a cat", "--grid",
            _folder.File("cat2.png")]);
        var shown = await CommandLineRun.Json(["inspect", again]);
        Assert.Contains("fine.safetensors", shown.GetProperty("remarks")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_or_changed_pipeline_is_said_and_another_is_taken_when_it_is_named()
    {
        var (pipeline, saved) = Saved();
        string tokens = Path.Combine(pipeline, "tokenizer", "special_tokens_map.json"), text = File.ReadAllText(tokens);
        File.WriteAllText(tokens, text + "\n");
        Refused.With("whose 'tokenizer' is missing, or another one now", () => Model.Open(saved, Prompted).Dispose());
        using (var named = Model.Open(saved, Prompted with { Checkpoint = new() { Pipeline = pipeline } }))
            Assert.Equal(3, named.Shape.Channels);
        File.WriteAllText(tokens, text);
        string vae = Path.Combine(pipeline, "vae", "config.json"), given = File.ReadAllText(vae);
        File.WriteAllText(vae, given.Replace("0.18215", "0.2"));
        Refused.With("whose 'autoencoder' is missing, or another one now", () => Model.Open(saved, Prompted).Dispose());
        File.WriteAllText(vae, given);
        Model.Open(saved, Prompted).Dispose();
        Directory.Move(pipeline, pipeline + "-elsewhere");
        Refused.With($"{pipeline}, which is not there. Give the folder of its pipeline.", () => Model.Open(saved, Prompted).Dispose());
        using var looked = Model.Open(saved, Prompted with { Prompts = null, NeedsNoPrompts = true, NeedsNoPipeline = true });
        Assert.Contains("which is not there", looked.Remarks[0], StringComparison.Ordinal);
        Refused.With("which is not there", () => looked.Sample(1, looked.CreateSampler("karras", "euler", 1)));
        looked.Save(_folder.File("forgetful"));
        Assert.False(ModelFolder.Remembers(_folder.File("forgetful")));
    }

    [Fact]
    public void LoRAs_of_text_encoders_and_networks_of_classes_are_remembered_too()
    {
        string root = OneFile.Pipeline(_folder.File("sd"), "1"), lora = _folder.File("style.safetensors");
        File.Copy(GoldenPipelines.At("sd15-tiny", "lora", "kohya.safetensors"), lora);
        using (var fused = Model.Open(root, Prompted with { Checkpoint = new() { Loras = [(lora, 0.5)] } }))
        {
            fused.Save(_folder.File("fused"));
            using var tuned = Model.Open(_folder.File("fused"), Prompted);
            Assert.Equal(Images(fused), Images(tuned));
        }

        var plain = Prompted with { Prompts = null };
        using var original = Model.Open(GoldenPipelines.At("dit-tiny", "dit-original-names.pt"),
            plain with { Checkpoint = new() { Heads = 3, Pipeline = GoldenPipelines.At("dit-tiny") } });
        original.Save(_folder.File("dit"));
        using var dit = Model.Open(_folder.File("dit"), plain);
        Assert.Equal((original.Shape, original.Autoencoder!.Hash), (dit.Shape, dit.Autoencoder!.Hash));
    }

    [Fact]
    public void Only_pipelines_in_folders_of_this_machine_are_looked_for()
    {
        var (_, saved) = Saved();
        string config = Path.Combine(saved, "config.json"), given = File.ReadAllText(config);
        void Names(string folder, string message)
        {
            File.WriteAllText(config, given.Replace("\"../sd\"", folder));
            Refused.With(message, () => Model.Open(saved, Prompted).Dispose());
        }

        string[] elsewhere =
            ["", "//host/share/sd", @"\\host\share\sd", @"\\?\C:\sd", @"/\host/share", "/proc/self/root", "/dev/fd", "sd\0"];
        foreach (string place in elsewhere)
            Names(JsonSerializer.Serialize(place), "so it is not looked for");
        foreach (string folder in new[] { "..", "../saved", "../sd/unet" })
            Names($"\"{folder}\"", "holds no autoencoder");
        Names("\"config.json\"", "which is not there");
        Names("null", "is not valid");
        Names("\"../sd\", \"loras\": [null]", "has LoRAs, but not which");
        Names("\"../sd\", \"file\": \"config.json\"", "config.json");
        Names("\"../sd\", \"further\": 1", "is not valid");
    }

    private (string Pipeline, string Saved) Saved()
    {
        string pipeline = OneFile.Pipeline(_folder.File("at/sd"), "1"), saved = _folder.File("at/saved");
        using var model = Model.Open(pipeline, Prompted);
        model.Save(saved);
        return (pipeline, saved);
    }

    private static float[] Images(Model model)
    {
        using var samples = model.Sample(2, model.CreateSampler("karras", "euler", 1));
        return samples.Images.data<float>().ToArray();
    }
}
