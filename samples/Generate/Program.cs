using FewStep.Deploy;

using var sampler = FewStepSampler.Open("sampler.onnx");
var images = await sampler.GenerateAsync(seeds: [0, 1, 2, 3]);
for (int i = 0; i < images.Count; i++)
    File.WriteAllBytes($"{i}.png", images.GetPng(i));
Console.WriteLine($"{images.Count} images of {sampler.Description.Model}, {sampler.Description.Evaluations} evaluations each");
