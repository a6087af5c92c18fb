using FewStep.Checkpoints;
using FewStep.Text;

namespace FewStep.Tests.Text;

/// <summary>Held against transformers 4.34.</summary>
public sealed class TextEncoderTests : TensorFileTests
{
    private const double Tolerance = 2e-5;

    [Fact]
    public void States_of_Stable_Diffusion_1s_encoder_are_those_of_transformers()
    {
        using var encoder = TextEncoder.Open(GoldenPipelines.At("sd15-tiny", "text_encoder"));
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("sd15-tiny", "text_encoder.golden.npz"));
        var last = encoder.Encode(golden["input_ids"], TextLayer.Last);
        Close(golden["last_hidden_state"], last.Hidden);
        Close(golden["pooler_output"], last.Pooled!);
        Close(golden["penultimate"], encoder.Encode(golden["input_ids"], TextLayer.Penultimate).Hidden);
        Close(golden["penultimate_final_norm"], encoder.Encode(golden["input_ids"], new TextLayer(1, true)).Hidden);
        Refused.With("has 2 layers", () => encoder.Encode(golden["input_ids"], new TextLayer(2, true)));
        Refused.With("takes 77 tokens", () => encoder.Encode(ones(1, 78, dtype: int64), TextLayer.Last));
        Refused.With("ids up to 1514", () => encoder.Encode(full([1, 4], 1514L, dtype: int64), TextLayer.Last));
    }

    [Fact]
    public void States_of_XLs_second_encoder_are_those_of_transformers()
    {
        using var encoder = TextEncoder.Open(GoldenPipelines.At("sdxl-tiny", "text_encoder_2"));
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("sdxl-tiny", "text_encoder_2.golden.npz"));
        var states = encoder.Encode(golden["input_ids"], TextLayer.Penultimate);
        Close(golden["penultimate"], states.Hidden);
        Close(golden["text_embeds"], states.Pooled!);
        Close(golden["last_hidden_state"], encoder.Encode(golden["input_ids"], TextLayer.Last).Hidden);
    }

    [Fact]
    public void States_of_T5_are_those_of_transformers()
    {
        using var encoder = TextEncoder.Open(GoldenPipelines.At("t5-tiny", "text_encoder"));
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("t5-tiny", "text_encoder.golden.npz"));
        Close(golden["last_hidden_state"], encoder.Encode(golden["input_ids"], TextLayer.Last).Hidden);
        Close(golden["last_hidden_state_masked"], encoder.Encode(golden["input_ids"], TextLayer.Last, golden["attention_mask"]).Hidden);
    }

    [Theory]
    [InlineData("t5-tiny", "text_encoder", ScalarType.BFloat16)]
    [InlineData("t5-tiny", "text_encoder", ScalarType.Float16)]
    [InlineData("sdxl-tiny", "text_encoder_2", ScalarType.Float16)]
    public void Matrices_in_the_files_own_format_give_the_bits_of_widened_ones(string pipeline, string part, ScalarType type)
    {
        string source = GoldenPipelines.At(pipeline, part);
        TextEncoder Stored(string name, ScalarType storedAs)
        {
            string folder = _folder.File(name);
            Directory.CreateDirectory(folder);
            File.Copy(Path.Combine(source, "config.json"), Path.Combine(folder, "config.json"));
            using var tensors = SafetensorsFile.Read(Path.Combine(source, "model.safetensors")).Tensors;
            SafetensorsFile.Write(
                Path.Combine(folder, "model.safetensors"), tensors.ToDictionary(t => t.Key, t => t.Value.to(type).to(storedAs)));
            return TextEncoder.Open(folder);
        }

        using var narrow = Stored("narrow", type);
        using var widened = Stored("widened", float32);
        var ids = GoldenPipelines.Arrays(GoldenPipelines.At(pipeline, $"{part}.golden.npz"))["input_ids"];
        foreach (var layer in new[] { TextLayer.Last, TextLayer.Penultimate })
        {
            TextStates expected = widened.Encode(ids, layer), states = narrow.Encode(ids, layer);
            Assert.Equal(expected.Hidden.data<float>().ToArray(), states.Hidden.data<float>().ToArray());
            Assert.Equal(expected.Pooled?.data<float>().ToArray(), states.Pooled?.data<float>().ToArray());
        }

        Assert.Equal(widened.FlatWeights.data<float>().ToArray(), narrow.FlatWeights.data<float>().ToArray());
        using var held = DiffusersWeights.Find(_folder.File("narrow"), null, DiffusersWeights.TransformersStems).Read();
        foreach (string name in narrow.Network.Redundant)
            held.Remove(name);
        ForeignWeights.Fit(narrow.Network.Layout, held, "it");
        Assert.All(held.Values, tensor => Assert.Equal(tensor.dim() > 1 ? type : ScalarType.Float32, tensor.dtype));
        var norm = held.First(tensor => tensor.Value.dim() == 1);
        norm.Value.fill_(float.NaN);
        Refused.With("not finite", () => ForeignWeights.Fit(narrow.Network.Layout, held, "it"));
    }

    [Fact]
    public void Published_encoders_have_their_numbers_of_weights()
    {
        var large = new ClipTextOptions { HiddenSize = 768, IntermediateSize = 3072, NumAttentionHeads = 12 };
        Assert.Equal(123_060_480, new ClipTextNetwork(large, projects: false).Layout.Count); // Stable Diffusion 1
        var giant = new ClipTextOptions
        { HiddenSize = 1280, IntermediateSize = 5120, NumAttentionHeads = 20, NumHiddenLayers = 32, ProjectionDim = 1280 };
        Assert.Equal(694_659_840, new ClipTextNetwork(giant, projects: true).Layout.Count); // XL's second
        var xxl = new T5Options { DModel = 4096, DFf = 10240, NumLayers = 24, NumHeads = 64 };
        Assert.Equal(4_762_310_656, new T5Network(xxl).Layout.Count);
    }

    [Theory]
    [InlineData("kohya_text_1", 1)]
    [InlineData("kohya_text_05", 0.5)]
    public void A_LoRA_in_kohyas_names_is_fused_on_reading(string name, double scale)
    {
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("sd15-tiny", "lora.golden.npz"));
        using var lora = LoraFile.Read(GoldenPipelines.At("sd15-tiny", "lora", "kohya.safetensors"));
        using var encoder = TextEncoder.Open(
            GoldenPipelines.At("sd15-tiny", "text_encoder"), new TextEncoderOptions { Loras = [(lora, scale)] });
        Close(golden[name], encoder.Encode(golden["input_ids"], TextLayer.Last).Hidden);
    }

    [Fact]
    public void The_id_of_the_end_may_be_stated()
    {
        string folder = _folder.File("encoder");
        Directory.CreateDirectory(folder);
        string source = GoldenPipelines.At("sd15-tiny", "text_encoder"), config = File.ReadAllText(Path.Combine(source, "config.json"));
        File.Copy(Path.Combine(source, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        void Config(string before, string after)
            => File.WriteAllText(Path.Combine(folder, "config.json"), config.Replace(before, after, StringComparison.Ordinal));
        Config("\"eos_token_id\": 2", "\"eos_token_id\": 1513, \"sep_token_id\": null");
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("sd15-tiny", "text_encoder.golden.npz"));
        using (var encoder = TextEncoder.Open(folder))
            Close(golden["pooler_output"], encoder.Encode(golden["input_ids"], TextLayer.Last).Pooled!);
        Config("\"dropout\"", "\"rope_scaling\": 2, \"dropout\"");
        Refused.With("rope_scaling is 2", () => TextEncoder.Open(folder));
        Config("quick_gelu", "silu");
        Refused.With("hidden_act is 'silu'", () => TextEncoder.Open(folder));
        Config("\"hidden_size\": 32", "\"hidden_size\": 33");
        Refused.With("cannot be divided", () => TextEncoder.Open(folder));
        Config("\"vocab_size\": 1514", "\"vocab_size\": 1500");
        using (var encoder = TextEncoder.Open(folder))
            Refused.With("has shape [1514,32]", () => encoder.Encode(ones(1, 4, dtype: int64), TextLayer.Last));
        Config("\"CLIPTextModel\"", "\"BertModel\"");
        Refused.With("(BertModel)", () => TextEncoder.Open(folder));
    }

    private static void Close(Tensor expected, Tensor actual) => Assert.InRange(GoldenPipelines.Difference(expected, actual), 0, Tolerance);
}
