using FewStep.Models;
using FewStep.Onnx;
using FewStep.Onnx.Proto;
using FewStep.Tests.Text;
using System.Text.Json;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Onnx;

/// <summary>Inputs and outputs of exported pipelines against what optimum gives its own (optimum-onnx, exporters/onnx/model_configs.py):
/// names, types, sizes, and the order in which its pipelines and those of diffusers read outputs. They differ in what docs/onnx.md
/// says: times are float32 [steps], and an encoder gives the mean.</summary>
public sealed class OnnxPipelineNamesTests : FolderTests
{
    [Theory]
    [InlineData("sd15-tiny", """
        text_encoder < input_ids Int32 [batch_size,sequence_length]
        text_encoder > last_hidden_state Float [batch_size,sequence_length,32]
        text_encoder > pooler_output Float [batch_size,32]
        text_encoder > hidden_states.0 Float [batch_size,sequence_length,32]
        text_encoder > hidden_states.1 Float [batch_size,sequence_length,32]
        text_encoder > hidden_states.2 Float [batch_size,sequence_length,32]
        unet < sample Float [batch_size,4,height,width]
        unet < timestep Float [steps]
        unet < encoder_hidden_states Float [batch_size,sequence_length,32]
        unet > out_sample Float [batch_size,4,height,width]
        vae_decoder < latent_sample Float [batch_size,4,latent_height,latent_width]
        vae_decoder > sample Float [batch_size,3,latent_height * 2,latent_width * 2]
        vae_encoder < sample Float [batch_size,3,sample_height,sample_width]
        vae_encoder > latent_sample Float [batch_size,4,sample_height / 2,sample_width / 2]
        """)]
    [InlineData("sdxl-tiny", """
        unet < sample Float [batch_size,4,height,width]
        unet < timestep Float [steps]
        unet < encoder_hidden_states Float [batch_size,sequence_length,32]
        unet < text_embeds Float [batch_size,24]
        unet < time_ids Float [batch_size,6]
        unet > out_sample Float [batch_size,4,height,width]
        """)]
    [InlineData("lcm-tiny", """
        unet < sample Float [batch_size,4,height,width]
        unet < timestep Float [steps]
        unet < encoder_hidden_states Float [batch_size,sequence_length,32]
        unet < timestep_cond Float [batch_size,32]
        unet > out_sample Float [batch_size,4,height,width]
        """)]
    [InlineData("sd3", """
        text_encoder < input_ids Int64 [batch_size,sequence_length]
        text_encoder > text_embeds Float [batch_size,12]
        text_encoder > last_hidden_state Float [batch_size,sequence_length,16]
        text_encoder > hidden_states.0 Float [batch_size,sequence_length,16]
        text_encoder > hidden_states.1 Float [batch_size,sequence_length,16]
        text_encoder > hidden_states.2 Float [batch_size,sequence_length,16]
        text_encoder_3 < input_ids Int64 [batch_size,sequence_length]
        text_encoder_3 > last_hidden_state Float [batch_size,sequence_length,40]
        transformer < hidden_states Float [batch_size,8,height,width]
        transformer < encoder_hidden_states Float [batch_size,sequence_length,40]
        transformer < pooled_projections Float [batch_size,24]
        transformer < timestep Float [steps]
        transformer > out_hidden_states Float [batch_size,8,height,width]
        """)]
    [InlineData("flux", """
        text_encoder < input_ids Int32 [batch_size,sequence_length]
        text_encoder > last_hidden_state Float [batch_size,sequence_length,24]
        text_encoder > pooler_output Float [batch_size,24]
        text_encoder > hidden_states.0 Float [batch_size,sequence_length,24]
        text_encoder > hidden_states.1 Float [batch_size,sequence_length,24]
        text_encoder > hidden_states.2 Float [batch_size,sequence_length,24]
        transformer < hidden_states Float [batch_size,packed_height_width,16]
        transformer < encoder_hidden_states Float [batch_size,sequence_length,40]
        transformer < pooled_projections Float [batch_size,24]
        transformer < timestep Float [steps]
        transformer < img_ids Float [packed_height_width,3]
        transformer < txt_ids Float [sequence_length,3]
        transformer < guidance Float [batch_size]
        transformer > out_hidden_states Float [batch_size,packed_height_width,16]
        """)]
    public void Inputs_and_outputs_are_those_of_other_exports(string kind, string expected)
    {
        using var scope = NewDisposeScope();
        string root = kind switch
        {
            "sd3" => TextPipelines.StableDiffusion3(_folder.File(kind)),
            "flux" => TextPipelines.Flux(_folder.File(kind)),
            "sd15-tiny" => WithoutScale(_folder.File(kind)),
            _ => Copied(kind, "unet", "scheduler"),
        };
        var options = new ModelOptions { ComputeType = float32, Device = DeviceChoice.Cpu, NeedsNoPrompts = true };
        string folder = _folder.File("exported");
        using (var model = Model.Open(root, options))
            OnnxExport.WritePipeline(model, folder);
        string[] lines = expected.ReplaceLineEndings("\n").Split('\n');
        string[] parts = [.. lines.Select(line => line.Split(' ')[0]).Distinct()];
        Assert.Equal(lines, parts.SelectMany(part => Described(folder, part)));
        Assert.All(Directory.GetFiles(folder, "*.onnx", SearchOption.AllDirectories), SizesFollow);
        Assert.All(Directory.GetDirectories(folder, "vae_*"), coder => Assert.Equal(0.18215, JsonDocument.Parse(
            File.ReadAllText(Path.Combine(coder, "config.json"))).RootElement.GetProperty("scaling_factor").GetDouble()));
    }

    private static ModelProto Read(string file) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(file));

    private static string[] Described(string folder, string part)
    {
        var graph = Read(Path.Combine(folder, part, "model.onnx")).Graph;
        return [.. graph.Input.Select(value => $"{part} < {Text(value)}"), .. graph.Output.Select(value => $"{part} > {Text(value)}")];
    }

    private static string Text(ValueInfoProto value)
        => $"{value.Name} {(TensorProto.Types.DataType)value.Type.TensorType.ElemType} [{string.Join(',', Sizes(value))}]";

    private static IEnumerable<string> Sizes(ValueInfoProto value) => value.Type.TensorType.Shape.Dim.Select(
        size => size.DimParam.Length > 0 ? size.DimParam : size.DimValue.ToString(CultureInfo.InvariantCulture));

    // optimum makes room for outputs before a network runs: of the sizes of inputs, by their names.
    private static void SizesFollow(string file)
    {
        var graph = Read(file).Graph;
        var known = graph.Input.SelectMany(Sizes).ToHashSet();
        Assert.All(graph.Output.SelectMany(Sizes).SelectMany(size => size.Split(' ')),
            word => Assert.True(word is "*" or "/" || known.Contains(word) || int.TryParse(word, out _), $"{file}: {word}"));
    }

    // As the autoencoders of 2022 are configured.
    private static string WithoutScale(string root)
    {
        foreach (string file in Directory.GetFiles(At("sd15-tiny"), "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(root, Path.GetRelativePath(At("sd15-tiny"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        string path = Path.Combine(root, "vae", "config.json");
        var config = JsonFile.ReadPython(path);
        Assert.True(config.Remove("scaling_factor"));
        JsonFile.Write(path, config);
        return root;
    }

    private string Copied(string name, params string[] parts)
    {
        string root = _folder.File(name);
        foreach (string part in parts)
        {
            Directory.CreateDirectory(Path.Combine(root, part));
            foreach (string file in Directory.GetFiles(At(name, part)))
                File.Copy(file, Path.Combine(root, part, Path.GetFileName(file)));
        }

        return root;
    }
}
