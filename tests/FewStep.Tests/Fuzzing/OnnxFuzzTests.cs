using FewStep.Models;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Tests.Onnx;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damaged ONNX files and their descriptions.</summary>
public sealed class OnnxFuzzTests : FolderTests
{
    [Fact]
    public void Models()
    {
        string path = _folder.File("m.onnx");
        var settings = new OnnxModelDescription { Prediction = OnnxPrediction.Epsilon, Noise = DiscreteVpNoise.LinearName, TimeSteps = 20 };
        byte[] whole = GaussianOnnx.Discrete(DiscreteVpNoise.Linear(times: 20), GaussianOnnx.Epsilon).ToArray();
        FuzzRun.Files("ONNX", 1000, random => ByteMutation.Of(whole, random), path, () => Use(path, settings));
    }

    [Fact]
    public void Descriptions()
    {
        string path = _folder.File("m.onnx"), beside = path + OnnxModelDescription.Extension;
        GaussianOnnx.Discrete(DiscreteVpNoise.Linear(times: 20), GaussianOnnx.Epsilon).Write(path);
        byte[] text = Encoding.UTF8.GetBytes(
            """{"prediction": "epsilon", "noise": "vp-linear", "time_steps": 20, "beta_start": 0.001, "beta_end": 0.2, "shape": """
                + """{"channels": 2, "height": 3, "width": 2}, "noise_input": "timestep", "output": "out_sample"}""");
        FuzzRun.Files("description of ONNX", 600, random => ByteMutation.Of(text, random, isText: true), beside, () => Use(path, null));
    }

    [Fact]
    public void Samplers()
    {
        string path = _folder.File("s.onnx");
        using (var model = Model.Open(TinyNetworks.Write(_folder.File("tiny"), "song-classes"), new() { ComputeType = ScalarType.Float32 }))
            OnnxExport.WriteSampler(model, model.CreateSampler("karras/euler/2"), path);
        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files("sampler of ONNX", 60, random => ByteMutation.Of(whole, random), path, () =>
        {
            using var sampler = OnnxSampler.TryOpen(path, 1);
            using var scope = NewDisposeScope();
            sampler?.Sample(zeros(sampler.Shape.Batch(2)), null);
        });
    }

    private static void Use(string path, OnnxModelDescription? settings)
    {
        using var model = OnnxModel.Open(path, settings, 1);
        using var scope = NewDisposeScope();
        model.Denoiser.Denoise(zeros(2, 2, 3, 2), ones(1), null);
    }
}
