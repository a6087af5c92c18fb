using System.Text.Json;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class DiffusersWeightsTests : TensorFileTests
{
    [Fact]
    public void Weights_of_transformers_have_their_own_names_and_variants()
    {
        string At(string name) => Write(name, ("w", 1));
        string folder = Path.GetDirectoryName(At("diffusion_pytorch_model.safetensors"))!;
        Refused.With("model.safetensors or pytorch_model.bin", () => Find(folder, null));
        string half = At("model.fp16.safetensors");
        Assert.Equal((half, "fp16"), (Find(folder, null).Path, Find(folder, null).Variant));
        string whole = At("model.safetensors");
        Assert.Equal(whole, Find(folder, null).Path);
        Assert.Equal(half, Find(folder, "fp16").Path);
        Refused.With("it has 'fp16'", () => Find(folder, "bf16"));
    }

    [Fact]
    public void Shards_are_held_against_their_index_and_unwrapped_together()
    {
        // One shard alone would lose more of its names than all of them.
        string first = Write("model-00001-of-00002.safetensors", ("module.encoder.a", 1), ("module.encoder.b", 2));
        Write("model-00002-of-00002.safetensors", ("module.model.c", 3));
        string index = Index(("module.encoder.a", 1), ("module.encoder.b", 1), ("module.model.c", 2));
        var found = Find(Path.GetDirectoryName(first)!, null);
        Assert.Equal((index, 2), (found.Path, found.Files.Count));
        using (var tensors = found.Read())
            Assert.Equal(["encoder.a", "encoder.b", "model.c"], tensors.Keys.Order());
        Index(("module.encoder.a", 1), ("module.lost", 2));
        Refused.With("lacks 'module.lost'", () => Find(Path.GetDirectoryName(first)!, null).Read());
        Index(("x", 3));
        Refused.With("which is missing", () => Find(Path.GetDirectoryName(first)!, null));
        Write("model-00002-of-00002.safetensors", ("module.encoder.b", 3));
        Index(("module.encoder.a", 1), ("module.encoder.b", 2));
        Refused.With("two of its shards hold 'module.encoder.b'", () => Find(Path.GetDirectoryName(first)!, null).Read());
    }

    [Fact]
    public void Names_lose_what_wraps_all_of_them()
    {
        foreach (string wrapper in new[] { "_orig_mod.", "module.", "model.", "ema.", "state_dict.", "module._orig_mod." })
        {
            using var state = StateDictionary.Read(Write("w.safetensors", (wrapper + "a", 1), (wrapper + "b", 2)));
            Assert.Equal(["a", "b"], state.Tensors.Keys.Order());
        }

        using var mixed = StateDictionary.Read(Write("w.safetensors", ("ema.a", 1), ("model.a", 2)));
        Assert.Equal(["ema.a", "model.a"], mixed.Tensors.Keys.Order());
        using var section = StateDictionary.Read(Write("w.safetensors", ("ema.a", 1), ("model.a", 2)), "ema");
        Assert.Equal(1, section.Tensors["a"].item<float>());
    }

    private static DiffusersWeights Find(string folder, string? variant)
        => DiffusersWeights.Find(folder, variant, DiffusersWeights.TransformersStems);

    private string Write(string name, params (string Name, float Value)[] tensors)
    {
        SafetensorsFile.Write(_folder.File(name), tensors.ToDictionary(t => t.Name, t => full([1], t.Value)));
        return _folder.File(name);
    }

    private string Index(params (string Name, int Shard)[] map)
    {
        string path = _folder.File("model.safetensors.index.json");
        var shards = map.ToDictionary(entry => entry.Name, entry => $"model-0000{entry.Shard}-of-00002.safetensors");
        File.WriteAllText(path, JsonSerializer.Serialize(new { metadata = new { total_size = 8 }, weight_map = shards }));
        return path;
    }
}
