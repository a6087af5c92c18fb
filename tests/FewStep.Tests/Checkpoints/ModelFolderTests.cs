using FewStep.Checkpoints;
using FewStep.Tests.Tuning;

namespace FewStep.Tests.Checkpoints;

public sealed class ModelFolderTests : FolderTests
{
    [Fact]
    public void A_model_comes_back_bit_identical()
    {
        using var model = ModelFolder.Initialize(TrainableModel.Config, 1);
        ModelFolder.Write(_folder.Root, TrainableModel.Config, model, model.Weights);
        var (config, read) = ModelFolder.Read(_folder.Root);
        using (read)
        {
            Assert.Equal(TrainableModel.Config.Shape, config.Shape);
            Assert.Equal(model.Weights.data<float>().ToArray(), read.Weights.data<float>().ToArray());
        }
    }

    // The hash covers the configuration as it is written: results are kept under it.
    [Theory]
    [InlineData("fashion-mnist", "a11d9348ca351d6dac584adb897a219a707e569c019844482214e9bd3fd95abd")]
    [InlineData("cifar10", "c9298c400894e87e02efd915f56cd438e63cced50d35aa0cd3c4cc5535e29e68")]
    public void The_hash_of_an_embedded_model_stays(string name, string hash)
    {
        using var source = ModelSource.Open(Repository.At("models", name));
        Assert.Equal(hash, source.Hash);
    }

    [Theory]
    [InlineData("\"song_unet\": null", "song_unet, dhariwal_unet, ddpm_unet")]
    [InlineData("\"ddpm_unet\": { \"img_resolution\": 8, \"in_channels\": 1, \"out_channels\": 1 }, \"song_unet\": { \"img_resolution\": "
        + "8, \"in_channels\": 1, \"out_channels\": 1 }", "name one architecture")]
    [InlineData("\"song_unet\": { \"img_resolution\": 8, \"in_channels\": 1, \"out_channels\": 1, \"drop\": 1 }", "drop")]
    [InlineData("\"song_unet\": { \"img_resolution\": 8, \"in_channels\": 1 }", "out_channels")]
    [InlineData("\"transformer\": { }", "transformer")]
    public void A_configuration_names_one_architecture(string network, string expected)
    {
        string text = "{ \"shape\": { \"channels\": 1, \"height\": 8, \"width\": 8 }, \"preconditioning\": { }, " + network + " }";
        File.WriteAllText(_folder.File(ModelFolder.ConfigName), text);
        using var model = ModelFolder.Initialize(TrainableModel.Config, 1);
        SafetensorsFile.Write(_folder.File(ModelFolder.WeightsName), new Dictionary<string, Tensor> { ["a"] = model.Weights });
        Refused.With(expected, () => ModelFolder.Read(_folder.Root));
    }

    [Theory]
    [InlineData("nan", "not finite")]
    [InlineData("missing", "lacks")]
    [InlineData("unknown", "does not have")]
    [InlineData("shape", "has shape")]
    public void Bad_weights_are_refused_by_name(string damage, string expected)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Initialize(TrainableModel.Config, 1);
        ModelFolder.Write(_folder.Root, TrainableModel.Config, model, model.Weights);
        string path = _folder.File("model.safetensors");
        var (tensors, _) = SafetensorsFile.Read(path);
        const string Name = "map_layer0.bias";
        switch (damage)
        {
            case "nan":
                tensors[Name] = full_like(tensors[Name], float.NaN);
                break;
            case "missing":
                tensors.Remove(Name);
                break;
            case "unknown":
                tensors["other.bias"] = tensors[Name];
                break;
            default:
                tensors[Name] = zeros(3);
                break;
        }

        SafetensorsFile.Write(path, tensors);
        var error = Assert.Throws<InvalidInputException>(() => ModelFolder.Read(_folder.Root));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(damage == "unknown" ? "other.bias" : Name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_hash_knows_all_that_changes_what_a_model_computes()
    {
        using var model = ModelFolder.Initialize(TrainableModel.Config, 1);
        string Hash(ModelConfig config)
        {
            ModelFolder.Write(_folder.Root, config, model, model.Weights);
            using var source = ModelSource.Open(_folder.Root);
            return source.Hash;
        }

        string hash = Hash(TrainableModel.Config);
        Assert.Equal(hash, Hash(TrainableModel.Config with { Name = "another name" }));
        Assert.NotEqual(hash, Hash(TrainableModel.Config with { Preconditioning = new() { SigmaData = 0.9 } }));
        Assert.NotEqual(hash, Hash(TrainableModel.Config with { Preconditioning = new() { SigmaMax = 70 } }));
    }

    [Fact]
    public void A_folder_without_a_model_says_what_is_missing()
    {
        var error = Assert.Throws<InvalidInputException>(() => ModelFolder.Read(_folder.File("nothing")));
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"version":2}""")]
    [InlineData("not json")]
    [InlineData("""{"shape":{"channels":0,"height":8,"width":8},"preconditioning":{}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"preconditioning":{"kind":"no"},"song_unet":{"img_resolution":"""
        + """8,"in_channels":1,"out_channels":1}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"preconditioning":{},"song_unet":{"img_resolution":8,"in_channels":"""
        + """3,"out_channels":3}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"preconditioning":{},"song_unet":{"img_resolution":8,"in_channels":"""
        + """1,"out_channels":1,"model_channels":-4}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"patch_size":100000,"preconditioning":{},"song_unet":{"img_resolution":"""
        + """8,"in_channels":1,"out_channels":1}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"patch_size":2,"preconditioning":{},"song_unet":{"img_resolution":"""
        + """8,"in_channels":4,"out_channels":5}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"preconditioning":{},"song_unet":{"img_resolution":1,"in_channels":"""
        + """1,"out_channels":1}}""")]
    [InlineData("""{"shape":{"channels":1,"height":28,"width":28},"preconditioning":{},"song_unet":{"img_resolution":28,"in_channels":"""
        + """1,"out_channels":1}}""")]
    [InlineData("""{"shape":{"channels":1,"height":8,"width":8},"preconditioning":{},"song_unet":{"img_resolution":8,"in_channels":"""
        + """1,"out_channels":1,"resample_filter":[2147483647,2147483647]}}""")]
    public void A_bad_configuration_is_one_line(string json)
    {
        File.WriteAllText(_folder.File("config.json"), json);
        var error = Assert.Throws<InvalidInputException>(() => ModelFolder.Read(_folder.Root));
        Assert.DoesNotContain('\n', error.Message);
    }
}
